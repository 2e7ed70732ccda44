#pragma once

#include "common/base/time.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

// A ReturnWatch remembers which traces wait for what a filter may hand back (Applied::offered,
// Applied::expected): for events of queue ids that are not yet known to be theirs, and for
// Message-Ids that sendmail(1) may bring in. `Owner` is what the caller identifies a trace by.
//
// It is bounded in log time and in number; the oldest entries are dropped first. It stays empty,
// and costs nothing, except for mail that lmtp(8) or pipe(8) hands to something that hands it back.
// Not thread-safe.
namespace mtrk::maillog {

template <typename Owner>
class ReturnWatch {
 public:
  [[nodiscard]] bool empty() const { return offers_.empty() && expectations_.empty(); }

  void offer(const std::string& queue_id, const Owner& owner, LogTime now) {
    add(offers_, offer_order_, queue_id, owner, now);
  }
  void expect(std::uint64_t message_id, const Owner& owner, LogTime now) {
    add(expectations_, expectation_order_, message_id, owner, now);
  }

  [[nodiscard]] std::vector<Owner> offered(std::string_view queue_id) const {
    const auto found = offers_.find(std::string(queue_id));
    return found == offers_.end() ? std::vector<Owner>() : found->second;
  }
  [[nodiscard]] std::vector<Owner> expecting(std::uint64_t message_id) const {
    const auto found = expectations_.find(message_id);
    return found == expectations_.end() ? std::vector<Owner>() : found->second;
  }

  void forget(std::string_view queue_id) { offers_.erase(std::string(queue_id)); }

  // Drops what is too old. Returns the offers that no trace has joined: their ids must be treated
  // as removed.
  [[nodiscard]] std::vector<std::pair<std::string, std::vector<Owner>>> expire(LogTime now) {
    std::vector<std::pair<std::string, std::vector<Owner>>> old;
    while (!offer_order_.empty() &&
           (now - offer_order_.front().second > kOfferAge || offer_order_.size() > kMost)) {
      if (auto entry = offers_.extract(offer_order_.front().first)) {
        old.emplace_back(std::move(entry.key()), std::move(entry.mapped()));
      }
      offer_order_.pop_front();
    }
    while (!expectation_order_.empty() &&
           (now - expectation_order_.front().second > kWait || expectation_order_.size() > kMost)) {
      expectations_.erase(expectation_order_.front().first);
      expectation_order_.pop_front();
    }
    return old;
  }

 private:
  // What came back is tried at once, unless the queue is jammed. pickup(8) comes within a minute.
  static constexpr Seconds kOfferAge{6 * 3600};
  static constexpr Seconds kWait{120};
  static constexpr std::size_t kMost = 10'000;
  static constexpr std::size_t kMostOwners = 64;

  template <typename Key>
  static void add(std::unordered_map<Key, std::vector<Owner>>& owners,
                  std::deque<std::pair<Key, LogTime>>& order,
                  const Key& key,
                  const Owner& owner,
                  LogTime now) {
    std::vector<Owner>& waiting = owners[key];
    if (waiting.empty()) {
      order.emplace_back(key, now);
    }
    if (waiting.size() < kMostOwners &&
        std::find(waiting.begin(), waiting.end(), owner) == waiting.end()) {
      waiting.push_back(owner);
    }
  }

  std::unordered_map<std::string, std::vector<Owner>> offers_;
  std::deque<std::pair<std::string, LogTime>> offer_order_;
  std::unordered_map<std::uint64_t, std::vector<Owner>> expectations_;
  std::deque<std::pair<std::uint64_t, LogTime>> expectation_order_;
};

}  // namespace mtrk::maillog

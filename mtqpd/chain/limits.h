#pragma once

#include "common/base/bytes.h"
#include "common/net/asio.h"
#include "common/track/tracked_message.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mtrk::mtqpd {

// What keeps chaining from being a weapon: which messages are being asked for just now, for whom,
// and what was said of late. Thread-safe; a server has one.
//
// A message that is being asked for is not asked for again, so that a query which comes back in a
// circle is answered at once from what is known here (THR-X4, A-30).
class ChainLimits {
 public:
  static constexpr std::size_t kQueries = 64;           // at the same time (THR-X5)
  static constexpr unsigned kQueriesPerSource = 2;      // of one address, IPv6: /64
  static constexpr std::chrono::seconds kKept{30};      // what was said is said again that long
  static constexpr std::size_t kMostAnswers = 256;      // that are kept
  static constexpr std::size_t kMostRecipients = 4096;  // in them

  // Leave to ask other servers about one message; gives it back.
  class Turn {
   public:
    Turn() = default;
    Turn(Turn&& other) noexcept
        : limits_(std::exchange(other.limits_, nullptr)),
          message_(other.message_),
          source_(other.source_) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Turn& operator=(Turn&&) = delete;
    ~Turn();
    [[nodiscard]] explicit operator bool() const { return limits_ != nullptr; }

   private:
    friend class ChainLimits;
    Turn(ChainLimits& limits, const Digest32& message, std::optional<std::uint64_t> source)
        : limits_(&limits), message_(message), source_(source) {}
    ChainLimits* limits_ = nullptr;
    Digest32 message_{};
    std::optional<std::uint64_t> source_;
  };
  // Empty: it is being asked for already, or there are too many. `source` is the client's network;
  // nothing for trusted ones, which only the first limit is for.
  [[nodiscard]] Turn begin(const Digest32& message, std::optional<std::uint64_t> source);

  // What other servers said of a message: the parts of their answers that were accepted; none is an
  // answer, too. `level` is the TLS of the client, so that nobody gets what was fetched with less.
  using Parts = std::shared_ptr<const std::vector<TrackedMessage>>;
  [[nodiscard]] Parts find(const Digest32& message,
                           const std::string& level,
                           net::Clock::time_point now);
  void keep(const Digest32& message, std::string level, Parts parts, net::Clock::time_point now);

 private:
  struct Kept {
    Digest32 message;
    std::string level;
    Parts parts;
    std::size_t recipients;
    net::Clock::time_point until;
  };
  void drop_oldest();
  void drop_old(net::Clock::time_point now);

  std::mutex mutex_;
  std::set<Digest32> messages_;                // being asked for
  std::map<std::uint64_t, unsigned> sources_;  // those with queries, which kQueries bounds
  std::deque<Kept> kept_;                      // the oldest first
  std::size_t recipients_ = 0;                 // in `kept_`
};

}  // namespace mtrk::mtqpd

#pragma once

#include "common/maillog/delivery_trace.h"
#include "common/maillog/owned_event.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

// Events of queue ids that may turn out to be children of a traced message, kept until the line
// that links them appears. A candidate is an id that was born on this host: received from a
// loopback client, from a configured filter or with orig_queue_id=, picked up, or made inside (no
// client= line before its message-id=). An id received from elsewhere cannot be a child: nothing is
// kept.
//
// Bounded in log time since the candidate's last line, in events and in octets; the longest silent
// candidate goes first. Not thread-safe.
namespace mtrk::maillog {

struct HeldLimits {
  Seconds age{120};
  std::size_t events = 200'000;
  std::size_t octets = std::size_t{64} << 20;
};

class HeldEvents : public DeliveryTrace::Evidence {
 public:
  HeldEvents(std::span<const std::string> filters, HeldLimits limits);

  enum class Keep { event, identity };  // identity: where the id came from, and its Message-Id
  void note(const DeliveryEvent& event, Keep keep, std::string_view line = {});

  // Removes and returns what is held of the id, in the order it came.
  [[nodiscard]] std::vector<OwnedEvent> take(std::string_view queue_id);
  // Ids held that name this one as their origin (orig_queue_id=, orig_id=).
  [[nodiscard]] std::vector<std::string> children_of(std::string_view queue_id) const;

  [[nodiscard]] bool received_here(std::string_view queue_id) const override;
  [[nodiscard]] bool received_here(std::string_view queue_id,
                                   std::uint64_t message_id_hash) const override;

  [[nodiscard]] std::size_t events() const { return events_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Candidate {
    std::string queue_id;
    std::string origin;            // the id it says it comes from
    bool received = false;         // from a client or pickup, not made inside
    std::uint64_t message_id = 0;  // hash
    LogTime last;
    std::vector<OwnedEvent> events;
  };
  using Candidates = std::list<Candidate>;  // longest silent first

  [[nodiscard]] bool may_be_child(const Client& client) const;
  [[nodiscard]] Candidate* candidate_for(const DeliveryEvent& event);
  void add_candidate();
  void forget(Candidates::iterator candidate);
  void expire(LogTime now);

  HeldLimits limits_;
  std::vector<std::string> filter_hosts_;
  Candidates candidates_;
  Candidates
      spare_;  // forgotten ones, used again with their memory: a busy log makes thousands a second
  std::unordered_map<std::string_view, Candidates::iterator> index_;  // keys live in the list
  std::unordered_multimap<std::string, std::string> children_;        // origin → id
  // Ids opened by other clients, until their message-id= line shows that they are no new ones.
  std::unordered_set<std::string> foreign_;
  std::list<std::string> foreign_order_;
  std::size_t events_ = 0;
  std::size_t octets_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace mtrk::maillog

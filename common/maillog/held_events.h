#pragma once

#include "common/maillog/delivery_trace.h"
#include "common/maillog/octet_pool.h"
#include "common/maillog/owned_event.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

// HeldEvents keeps events of queue ids that may turn out to be children of a traced message, until
// the line that links them appears. A candidate is an id that was born on this host: it was
// received from a loopback client, from a configured filter or with orig_queue_id=, it was picked
// up, or it was made internally (it has no client= line before its message-id=). An id received
// from elsewhere cannot be a child, and nothing of it is kept.
//
// The memory is bounded by the log time since a candidate's last line, by the number of events and
// by their octets; the candidate that has been silent longest is dropped first. Not thread-safe.
namespace mtrk::maillog {

struct HeldLimits {
  Seconds age{120};
  std::size_t events = 200'000;
  std::size_t octets = std::size_t{64} << 20;
};

class HeldEvents : public DeliveryTrace::Evidence {
 public:
  HeldEvents(std::span<const std::string> filters, HeldLimits limits);
  HeldEvents(const HeldEvents&) = delete;
  HeldEvents& operator=(const HeldEvents&) = delete;

  enum class Keep { event, identity };  // identity: only where the id came from, and its Message-Id
  // `space` says to which queue the id belongs (QueueSpaces::of()).
  void note(const DeliveryEvent& event,
            Keep keep,
            std::string_view line = {},
            const QueueSpace& space = {});

  // Removes and returns the events held for the id in that queue, in the order in which they came.
  struct Past {
    QueueSpace space;
    std::vector<OwnedEvent> events;
  };
  [[nodiscard]] Past take(std::string_view queue_id, const QueueSpace& space = {});
  // Returns the held ids of that host that name this one as their origin (orig_queue_id=,
  // orig_id=).
  struct Child {
    std::string queue_id;
    QueueSpace space;
  };
  [[nodiscard]] std::vector<Child> children_of(std::string_view queue_id,
                                               const QueueSpace& space = {}) const;

  // Returns the events held for the id in that queue, and keeps them. The result is valid until the
  // next note() or take().
  [[nodiscard]] std::span<const OwnedEvent> past(std::string_view queue_id,
                                                 const QueueSpace& space = {}) const;

  [[nodiscard]] std::vector<trace::Reception> received_again(std::uint64_t message_id,
                                                             const QueueSpace& host) const override;
  [[nodiscard]] std::optional<trace::Reception> received_here(
      std::string_view queue_id, const QueueSpace& host) const override;

  [[nodiscard]] std::size_t events() const { return events_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Candidate {
    std::string queue_id;
    QueueSpace space;
    std::string origin;            // the id it says it comes from
    bool received = false;         // from a client or pickup, not made internally
    bool picked_up = false;        // from a pickup
    bool indexed = false;          // by its Message-Id
    bool removed = false;          // the next message under this id is another one
    std::uint64_t message_id = 0;  // hash
    LogTime first;
    LogTime last;
    std::vector<OwnedEvent> events;
  };
  using Candidates = std::list<Candidate>;  // longest silent first

  [[nodiscard]] bool may_be_child(const Client& client) const;
  [[nodiscard]] std::optional<Candidates::iterator> find(std::string_view queue_id,
                                                         const QueueSpace& space) const;
  [[nodiscard]] Candidate* candidate_for(const DeliveryEvent& event, const QueueSpace& space);
  void add_candidate(std::string_view queue_id);
  void index_message_id(Candidate& candidate) const;
  [[nodiscard]] static trace::Reception reception(const Candidate& candidate);
  void forget(Candidates::iterator candidate);
  void expire(LogTime now);

  HeldLimits limits_;
  std::vector<std::string> filter_hosts_;
  OctetPool pool_;  // It holds events without a line, none of which outlives it.
  mutable Candidates candidates_;
  // These are forgotten candidates whose memory is used again, because a busy log makes thousands
  // of them a second.
  Candidates spare_;
  std::unordered_multimap<std::string_view, Candidates::iterator> index_;  // keys live in the list
  std::unordered_multimap<std::string, const Candidate*> children_;        // by origin
  // This index is made when it is first asked for, which only happens for a tracked message, and is
  // kept from then on.
  mutable bool message_ids_wanted_ = false;
  mutable std::unordered_multimap<std::uint64_t, Candidate*> by_message_id_;
  // These are ids opened by other clients, kept until their message-id= line shows that they are
  // not new. The host is part of the key, because another host may use the same id.
  std::unordered_set<std::string> foreign_;
  std::list<std::string> foreign_order_;
  std::size_t events_ = 0;
  std::size_t octets_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace mtrk::maillog

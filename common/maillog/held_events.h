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
  HeldEvents(const HeldEvents&) = delete;
  HeldEvents& operator=(const HeldEvents&) = delete;

  enum class Keep { event, identity };  // identity: where the id came from, and its Message-Id
  // `space`: whose id it is (QueueSpaces::of()).
  void note(const DeliveryEvent& event,
            Keep keep,
            std::string_view line = {},
            const QueueSpace& space = {});

  // Removes and returns what is held of the id in that queue, in the order it came.
  struct Past {
    QueueSpace space;
    std::vector<OwnedEvent> events;
  };
  [[nodiscard]] Past take(std::string_view queue_id, const QueueSpace& space = {});
  // Ids held of that host that name this one as their origin (orig_queue_id=, orig_id=).
  struct Child {
    std::string queue_id;
    QueueSpace space;
  };
  [[nodiscard]] std::vector<Child> children_of(std::string_view queue_id,
                                               const QueueSpace& space = {}) const;

  // What is held of the id in that queue, which stays held. Valid until the next note() or take().
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
    bool received = false;         // from a client or pickup, not made inside
    bool picked_up = false;        // from a pickup
    bool indexed = false;          // by its Message-Id
    bool removed = false;          // the next one to come under its id is another message
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
  OctetPool pool_;  // of events without a line: nobody keeps those for longer than this lives
  mutable Candidates candidates_;
  Candidates
      spare_;  // forgotten ones, used again with their memory: a busy log makes thousands a second
  std::unordered_multimap<std::string_view, Candidates::iterator> index_;  // keys live in the list
  std::unordered_multimap<std::string, const Candidate*> children_;        // by origin
  // Made when somebody asks for the first time, which takes a tracked message, and kept from then
  // on.
  mutable bool message_ids_wanted_ = false;
  mutable std::unordered_multimap<std::uint64_t, Candidate*> by_message_id_;
  // Ids opened by other clients, until their message-id= line shows that they are no new ones.
  // With their host: it may be another host's id, too.
  std::unordered_set<std::string> foreign_;
  std::list<std::string> foreign_order_;
  std::size_t events_ = 0;
  std::size_t octets_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace mtrk::maillog

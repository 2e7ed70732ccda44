#pragma once

#include "common/base/expected.h"
#include "common/maillog/delivery_event.h"
#include "common/track/outcome.h"
#include "common/track/queue_id.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The way of one SMTP transaction through one host: a pure state machine from delivery events to an
// Outcome per recipient as given at RCPT. It follows the message across queue ids:
//
//   requeue (postsuper -r)        the new id continues the old one, same recipients
//   local alias, .forward, list   "forwarded as NEW": everything in NEW belongs to that recipient
//   content filter                a loopback hop whose re-injection is proven: by orig_queue_id=,
//                                 by a configured filter, or by the same Message-Id here
//
// A recipient with one target is followed to its end; with several it is `expanded`, whatever
// became of the members (RFC 3886 §4.2). A recipient that is gone without a word is `opaque`, never
// `delivered`. Terminal outcomes never regress. Events may come in any order within reason: what
// comes too early is replayed by TraceRouter. Rules and evidence: contrib/doc/outcomes.md.
//
// A value: copyable, no I/O, no clock; not thread-safe. Memory and time are linear in recipients
// and events. encode()/decode() are the form in which the store keeps it (put_/get_ fields,
// version first; decode never trusts lengths).
namespace mtrk::maillog {

struct TracePolicy {
  Seconds queue_lifetime{5 * 24 * 3600};  // Will-Retry-Until = arrival + this
  std::span<const std::string> filters;   // "127.0.0.1:10025": relays that re-inject
};

enum class Recipients { captured, collect };  // known from the envelope, or whatever the log names

class DeliveryTrace {
 public:
  // `recipients` as given at RCPT (empty with `collect`). `arrival` is the capture's, or absent:
  // the first event's time is taken then.
  DeliveryTrace(QueueId root,
                std::optional<TimePoint> arrival,
                std::vector<std::string> recipients,
                Recipients mode);

  struct Applied {
    std::vector<std::size_t>
        changed;  // recipients the event belongs to (their outcome may differ now)
    std::vector<std::string> joined;  // queue ids that belong to this trace from now on
  };
  // `event.queue_id` is one of queue_ids(), or the event's parent (orig_queue_id, orig_id) is.
  // `same_message` tells whether a queue id was received here with this Message-Id: the proof for a
  // filter without XFORWARD; see TraceRouter.
  struct Evidence {
    virtual ~Evidence() = default;
    [[nodiscard]] virtual bool received_here(std::string_view queue_id,
                                             std::uint64_t message_id_hash) const = 0;
  };
  [[nodiscard]] Applied apply(const DeliveryEvent& event,
                              const TracePolicy& policy,
                              const Evidence& evidence);

  [[nodiscard]] std::span<const std::string> recipients() const;
  [[nodiscard]] Outcome outcome(std::size_t recipient, const TracePolicy& policy) const;
  [[nodiscard]] bool redirected(std::size_t recipient) const;
  [[nodiscard]] std::vector<std::string> via(
      std::size_t recipient) const;  // queue ids followed, root first

  [[nodiscard]] const std::string& root() const;
  [[nodiscard]] std::vector<std::string> queue_ids() const;  // all that joined, root first
  [[nodiscard]] bool queued() const;     // some queue id of it is still in the queue
  [[nodiscard]] bool confirmed() const;  // the log showed the root alive (Queued, Attempt, Held …)
  [[nodiscard]] bool refused() const;    // Rejected after all: there must be no record

  void encode(std::string& out) const;
  [[nodiscard]] static Expected<DeliveryTrace> decode(std::string_view& in);

 private:
  // Defined by the implementation; see delivery_trace.cc.
};

}  // namespace mtrk::maillog

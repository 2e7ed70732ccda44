#pragma once

#include "common/maillog/delivery_trace.h"
#include "common/maillog/held_events.h"
#include "common/maillog/return_watch.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// Brings events to the traces they belong to, each queue id to one trace: what the store writer
// needs (`mtrkctl explain`, where somebody may ask for a message and for its child at once, has its
// own way over the same HeldEvents).
//
// Ids born on this host (forwarded copies, re-injections, requeues) are logged before the line that
// links them to their parent. Events of ids that may turn out to be such children are therefore
// kept for a while, bounded in log time (120 s), in number and in octets, and replayed when the
// link appears. Ids received from a remote client without orig_queue_id cannot be children: nothing
// of them is kept, which is what makes untracked mail free.
//
// What may turn out to be a child by its recipients only (DeliveryTrace) is shown to all traces
// that it may belong to, until it joins one. Who waits for that is not kept over a restart: then
// such a message stays in the queue as far as its trace knows.
namespace mtrk::maillog {

// Where traces live. All calls come from one thread.
class TraceIndex {
 public:
  virtual ~TraceIndex() = default;
  // The trace that `queue_id` belongs to, or null. The pointer is valid until the call of route()
  // ends: find(), bind() and changed() leave it alone.
  [[nodiscard]] virtual DeliveryTrace* find(std::string_view queue_id) = 0;
  virtual void bind(std::string_view queue_id, DeliveryTrace& trace) = 0;  // joined
  // The event altered `trace` (already applied); `recipients` as Applied::changed: may be empty,
  // the trace has to be kept all the same.
  virtual void changed(DeliveryTrace& trace,
                       std::span<const std::size_t> recipients,
                       const DeliveryEvent& event) = 0;
};

class TraceRouter {
 public:
  // What `policy.filters` points to has to live as long as the router. `own_host` is this machine's
  // name: the traces are of messages in its own queue, and as soon as the log has a line of it,
  // those of other hosts (central syslog) are left out. In a log that calls this host otherwise, a
  // trace belongs to the host and instance of the first lines that named its queue id.
  explicit TraceRouter(TracePolicy policy, HeldLimits limits = {}, std::string_view own_host = {});

  // Routes one event. True if it belonged to a trace.
  bool route(const DeliveryEvent& event, TraceIndex& index);

  // Only remembers what a later link may need; used when a follower resumes, for the lines shortly
  // before its position (they were applied before).
  void warm_up(const DeliveryEvent& event);

  [[nodiscard]] std::size_t held_events() const { return held_.events(); }
  [[nodiscard]] std::uint64_t dropped_events() const {  // aged out or over the bounds, never linked
    return held_.dropped();
  }

 private:
  void apply(DeliveryTrace& trace,
             const DeliveryEvent& event,
             const QueueSpace& space,
             TraceIndex& index);
  void show_to_watchers(const DeliveryEvent& event,
                        const QueueSpace& space,
                        const DeliveryTrace* owner,
                        TraceIndex& index);

  TracePolicy policy_;
  QueueSpaces spaces_;
  HeldEvents held_;
  ReturnWatch<std::string> watch_;  // traces by their root
};

}  // namespace mtrk::maillog

#pragma once

#include "common/maillog/delivery_trace.h"
#include "common/maillog/held_events.h"
#include "common/maillog/return_watch.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// A TraceRouter brings events to the traces they belong to, each queue id to one trace, as the
// store writer needs it. (`mtrkctl explain`, which may be asked for a message and for its child at
// the same time, does this in its own way with the same HeldEvents.)
//
// Ids that are born on this host (forwarded copies, re-injections, requeues) are logged before the
// line that links them to their parent. Events of ids that may turn out to be such children are
// therefore kept for a while, bounded in log time (120 s), in number and in octets, and replayed
// when the link appears. Ids received from a remote client without orig_queue_id cannot be
// children. Nothing of them is kept, so untracked mail costs nothing.
//
// An id that may turn out to be a child only by its recipients (DeliveryTrace) is shown to all
// traces that it may belong to, until it joins one. Which traces wait for it is not kept over a
// restart: after one, such a message remains in the queue as far as its trace knows.
namespace mtrk::maillog {

// A TraceIndex is where traces live. All calls come from one thread.
class TraceIndex {
 public:
  virtual ~TraceIndex() = default;
  // Returns the trace that `queue_id` belongs to, or null. The pointer is valid until the call of
  // route() ends: find(), bind() and changed() must not invalidate it.
  [[nodiscard]] virtual DeliveryTrace* find(std::string_view queue_id) = 0;
  // Says that `queue_id` has joined `trace`.
  virtual void bind(std::string_view queue_id, DeliveryTrace& trace) = 0;
  // Says that the event has altered `trace`; it is already applied. `recipients` is
  // Applied::changed. It may be empty, and the trace must be kept nevertheless.
  virtual void changed(DeliveryTrace& trace,
                       std::span<const std::size_t> recipients,
                       const DeliveryEvent& event) = 0;
};

class TraceRouter {
 public:
  // The data of `policy.filters` must outlive the router. `own_host` is this machine's name. The
  // traces are of messages in its own queue, and as soon as the log has a line of this machine,
  // lines of other hosts (central syslog) are left out. If the log calls this machine otherwise, a
  // trace belongs to the host and instance of the first lines that named its queue id.
  explicit TraceRouter(TracePolicy policy, HeldLimits limits = {}, std::string_view own_host = {});

  // Routes one event. Returns whether it belonged to a trace.
  bool route(const DeliveryEvent& event, TraceIndex& index);

  // Only remembers what a later link may need. A follower that resumes calls this for the lines
  // shortly before its position, which were applied before.
  void warm_up(const DeliveryEvent& event);

  [[nodiscard]] std::size_t held_events() const { return held_.events(); }
  // Returns how many events were dropped for their age or for a bound, and never linked.
  [[nodiscard]] std::uint64_t dropped_events() const { return held_.dropped(); }

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
  ReturnWatch<std::string> watch_;  // its owners are the roots of traces
};

}  // namespace mtrk::maillog

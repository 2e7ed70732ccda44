#include "common/maillog/trace_router.h"

#include <utility>
#include <vector>

namespace mtrk::maillog {
namespace {

// KnownTraces is the evidence from the held events. It also knows which of them are already
// followed as another message.
class KnownTraces : public trace::Evidence {
 public:
  KnownTraces(const HeldEvents& held, TraceIndex& index, const DeliveryTrace& trace)
      : held_(held), index_(index), trace_(trace) {}

  [[nodiscard]] std::optional<trace::Reception> received_here(
      std::string_view queue_id, const QueueSpace& host) const override {
    return held_.received_here(queue_id, host);
  }
  [[nodiscard]] std::vector<trace::Reception> received_again(
      std::uint64_t message_id, const QueueSpace& host) const override {
    std::vector<trace::Reception> found = held_.received_again(message_id, host);
    for (trace::Reception& reception : found) {
      const DeliveryTrace* of = index_.find(reception.queue_id);
      reception.of = of == &trace_ ? nullptr : of;
    }
    return found;
  }

 private:
  const HeldEvents& held_;
  TraceIndex& index_;
  const DeliveryTrace& trace_;
};

}  // namespace

TraceRouter::TraceRouter(TracePolicy policy, HeldLimits limits, std::string_view own_host)
    : policy_(policy), spaces_(own_host), held_(policy.filters, limits) {}

bool TraceRouter::route(const DeliveryEvent& event, TraceIndex& index) {
  const QueueSpace space = spaces_.of(event);
  if (spaces_.is_foreign(space)) {
    return false;
  }
  DeliveryTrace* trace = index.find(event.queue_id);
  if (trace != nullptr && !trace->has(event.queue_id, space)) {
    trace = nullptr;  // this is the same id, but another message
  }
  if (trace == nullptr) {
    const std::string_view origin = origin_of(event);
    trace = origin.empty() ? nullptr : index.find(origin);
  }
  held_.note(event, trace == nullptr ? HeldEvents::Keep::event : HeldEvents::Keep::identity, {},
             space);
  if (trace != nullptr) {
    apply(*trace, event, space, index);
  }
  if (!watch_.empty()) {
    show_to_watchers(event, space, trace, index);
  }
  return trace != nullptr;
}

// Applies the event, and the past events of the ids that join the trace by it.
void TraceRouter::apply(DeliveryTrace& trace,
                        const DeliveryEvent& event,
                        const QueueSpace& space,
                        TraceIndex& index) {
  const KnownTraces evidence(held_, index, trace);
  // These are the ids whose past must still be applied, the latest last.
  std::vector<std::string> joined;
  std::vector<std::string> offered;
  const auto take_in = [&](const DeliveryEvent& next, const QueueSpace& of) {
    DeliveryTrace::Applied applied = trace.apply(next, policy_, evidence, of);
    for (std::string& queue_id : applied.joined) {
      index.bind(queue_id, trace);
      joined.push_back(std::move(queue_id));
    }
    for (std::string& queue_id : applied.offered) {
      watch_.offer(queue_id, trace.root(), next.at);
      offered.push_back(std::move(queue_id));
    }
    if (applied.expected != 0) {
      watch_.expect(applied.expected, trace.root(), next.at);
    }
    if (applied.altered) {
      applied.changed.insert(applied.changed.end(), applied.cleared.begin(), applied.cleared.end());
      index.changed(trace, applied.changed, next);
    }
  };
  const auto take_past = [&](std::string_view queue_id, const QueueSpace& of) {
    const HeldEvents::Past past = held_.take(queue_id, of);
    for (const OwnedEvent& said : past.events) {
      take_in(said.event(), past.space);
    }
  };
  take_in(event, space);
  while (!joined.empty() || !offered.empty()) {
    std::vector<std::string>& next = offered.empty() ? joined : offered;
    const std::string queue_id = std::move(next.back());
    next.pop_back();
    const QueueSpace of = trace.space_of(queue_id);
    if (&next == &offered) {  // its events stay held, because other traces may want them as well
      for (const OwnedEvent& said : held_.past(queue_id, of)) {
        take_in(said.event(), of);
      }
      continue;
    }
    take_past(queue_id, of);
    for (const HeldEvents::Child& child : held_.children_of(queue_id, of)) {
      take_past(child.queue_id, child.space);
    }
  }
}

// The event has already been applied to `owner`.
void TraceRouter::show_to_watchers(const DeliveryEvent& event,
                                   const QueueSpace& space,
                                   const DeliveryTrace* owner,
                                   TraceIndex& index) {
  const auto show_to = [&](const std::vector<std::string>& roots, const DeliveryEvent& shown,
                           const QueueSpace& of) {
    for (const std::string& root : roots) {
      DeliveryTrace* trace = index.find(root);
      if (trace != nullptr && trace != owner && trace->root() == root) {
        apply(*trace, shown, of, index);
      }
    }
  };
  show_to(watch_.offered(event.queue_id), event, space);
  if (std::holds_alternative<Removed>(event.what)) {
    watch_.forget(event.queue_id);
  } else if (const MessageId* id = std::get_if<MessageId>(&event.what)) {
    show_to(watch_.expecting(message_id_hash(id->message_id)), event, space);
  }
  for (const auto& [queue_id, roots] : watch_.expire(event.at)) {
    const DeliveryEvent removed{event.at, queue_id, Removed{}};
    show_to(roots, removed, {});
  }
}

void TraceRouter::warm_up(const DeliveryEvent& event) {
  const QueueSpace space = spaces_.of(event);
  if (!spaces_.is_foreign(space)) {
    held_.note(event, HeldEvents::Keep::event, {}, space);
  }
}

}  // namespace mtrk::maillog

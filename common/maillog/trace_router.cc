#include "common/maillog/trace_router.h"

#include <utility>
#include <vector>

namespace mtrk::maillog {

TraceRouter::TraceRouter(TracePolicy policy, HeldLimits limits, std::string_view own_host)
    : policy_(policy), spaces_(own_host), held_(policy.filters, limits) {}

bool TraceRouter::route(const DeliveryEvent& event, TraceIndex& index) {
  const QueueSpace space = spaces_.of(event);
  if (spaces_.is_foreign(space)) {
    return false;
  }
  DeliveryTrace* trace = index.find(event.queue_id);
  if (trace != nullptr && !trace->has(event.queue_id, space)) {
    trace = nullptr;  // the id, but not the message
  }
  if (trace == nullptr) {
    const std::string_view origin = origin_of(event);
    trace = origin.empty() ? nullptr : index.find(origin);
  }
  if (trace == nullptr) {
    held_.note(event, HeldEvents::Keep::event, {}, space);
    return false;
  }
  held_.note(event, HeldEvents::Keep::identity, {}, space);

  // Ids that joined and whose past is still to be told, the latest last.
  std::vector<std::string> joined;
  const auto apply = [&](const DeliveryEvent& next, const QueueSpace& of) {
    DeliveryTrace::Applied applied = trace->apply(next, policy_, held_, of);
    for (std::string& queue_id : applied.joined) {
      index.bind(queue_id, *trace);
      joined.push_back(std::move(queue_id));
    }
    if (applied.altered) {
      applied.changed.insert(applied.changed.end(), applied.cleared.begin(), applied.cleared.end());
      index.changed(*trace, applied.changed, next);
    }
  };
  const auto tell_past = [&](std::string_view queue_id, const QueueSpace& of) {
    const HeldEvents::Past past = held_.take(queue_id, of);
    for (const OwnedEvent& said : past.events) {
      apply(said.event(), past.space);
    }
  };
  apply(event, space);
  while (!joined.empty()) {
    const std::string queue_id = std::move(joined.back());
    joined.pop_back();
    const QueueSpace of = trace->space_of(queue_id);
    tell_past(queue_id, of);
    for (const HeldEvents::Child& child : held_.children_of(queue_id, of)) {
      tell_past(child.queue_id, child.space);
    }
  }
  return true;
}

void TraceRouter::warm_up(const DeliveryEvent& event) {
  const QueueSpace space = spaces_.of(event);
  if (!spaces_.is_foreign(space)) {
    held_.note(event, HeldEvents::Keep::event, {}, space);
  }
}

}  // namespace mtrk::maillog

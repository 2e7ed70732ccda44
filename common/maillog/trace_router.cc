#include "common/maillog/trace_router.h"

#include <utility>
#include <vector>

namespace mtrk::maillog {

TraceRouter::TraceRouter(TracePolicy policy, HeldLimits limits)
    : policy_(policy), held_(policy.filters, limits) {}

bool TraceRouter::route(const DeliveryEvent& event, TraceIndex& index) {
  DeliveryTrace* trace = index.find(event.queue_id);
  if (trace == nullptr) {
    const std::string_view origin = origin_of(event);
    trace = origin.empty() ? nullptr : index.find(origin);
  }
  if (trace == nullptr) {
    held_.note(event, HeldEvents::Keep::event);
    return false;
  }
  held_.note(event, HeldEvents::Keep::identity);

  // Ids that joined and whose past is still to be told, the latest last.
  std::vector<std::string> joined;
  const auto apply = [&](const DeliveryEvent& next) {
    DeliveryTrace::Applied applied = trace->apply(next, policy_, held_);
    for (std::string& queue_id : applied.joined) {
      index.bind(queue_id, *trace);
      joined.push_back(std::move(queue_id));
    }
    if (applied.altered) {
      applied.changed.insert(applied.changed.end(), applied.cleared.begin(), applied.cleared.end());
      index.changed(*trace, applied.changed, next);
    }
  };
  apply(event);
  while (!joined.empty()) {
    const std::string queue_id = std::move(joined.back());
    joined.pop_back();
    for (const OwnedEvent& past : held_.take(queue_id)) {
      apply(past.event());
    }
    for (const std::string& child : held_.children_of(queue_id)) {
      for (const OwnedEvent& past : held_.take(child)) {
        apply(past.event());
      }
    }
  }
  return true;
}

void TraceRouter::warm_up(const DeliveryEvent& event) {
  held_.note(event, HeldEvents::Keep::event);
}

}  // namespace mtrk::maillog

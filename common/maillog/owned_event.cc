#include "common/maillog/owned_event.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace mtrk::maillog {
namespace {

constexpr std::size_t kMostViews = 16;  // views of an Attempt and of the event itself

// Calls `visit` with every view of the event.
template <typename Visit>
struct EachView {
  Visit visit;

  void operator()(Attempt& attempt) const {
    for (std::string_view* view :
         {&attempt.agent, &attempt.recipient, &attempt.original, &attempt.relay, &attempt.delay,
          &attempt.delays, &attempt.tls, &attempt.status, &attempt.text, &attempt.forwarded_as,
          &attempt.queued_as}) {
      visit(*view);
    }
    attempt.written = {};
  }
  void operator()(Client& client) const {
    visit(client.client);
    visit(client.orig_queue_id);
  }
  void operator()(Pickup& pickup) const { visit(pickup.orig_id); }
  void operator()(MessageId& id) const { visit(id.message_id); }
  void operator()(Queued& queued) const {
    visit(queued.sender);
    visit(queued.message_id);
    visit(queued.client);
  }
  void operator()(GaveUp& gave_up) const {
    visit(gave_up.status);
    visit(gave_up.child);
    visit(gave_up.text);
  }
  void operator()(Removed& removed) const { visit(removed.by); }
  void operator()(Rejected& rejected) const { visit(rejected.text); }
  void operator()(Notification& notification) const {
    visit(notification.kind);
    visit(notification.child);
    visit(notification.text);
  }
  void operator()(Redirection& redirection) const {
    visit(redirection.kind);
    visit(redirection.from);
    visit(redirection.targets);
  }
  void operator()(Cloned& cloned) const {
    visit(cloned.child);
    visit(cloned.owner);
  }
  void operator()(Split& split) const { visit(split.children); }
  void operator()(Declined& declined) const {
    visit(declined.recipient);
    visit(declined.text);
  }
  void operator()(Added& added) const { visit(added.recipient); }
  void operator()(Held&) const {}
  void operator()(Released&) const {}
  void operator()(Requeued&) const {}
  void operator()(ForcedExpiry&) const {}
};

template <typename Visit>
void for_each_view(DeliveryEvent& event, Visit visit) {
  visit(event.queue_id);
  visit(event.host);
  visit(event.program);
  std::visit(EachView<Visit>{visit}, event.what);
}

}  // namespace

OwnedEvent::OwnedEvent(const DeliveryEvent& event, std::string_view line, OctetPool* pool)
    : event_(event), octets_(line.size()) {
  if (line.empty()) {  // only code that shows the line needs host and program
    event_.host = {};
    event_.program = {};
  }
  std::array<std::string_view*, kMostViews> views;
  std::size_t count = 0;
  for_each_view(event_, [&](std::string_view& view) {
    if (view.empty()) {
      view = {};
    } else {
      octets_ += view.size();
      views[count++] = &view;
    }
  });
  copy_ = OctetPool::take(pool, octets_);
  char* to = copy_.get();
  for (std::size_t i = 0; i < count; ++i) {
    std::string_view& view = *views[i];
    std::memcpy(to, view.data(), view.size());
    view = std::string_view(to, view.size());
    to += view.size();
  }
  if (!line.empty()) {
    std::memcpy(to, line.data(), line.size());
  }
  line_ = std::string_view(to, line.size());
}

}  // namespace mtrk::maillog

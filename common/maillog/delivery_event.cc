#include "common/maillog/delivery_event.h"

namespace mtrk::maillog {
namespace {

struct Name {
  std::string_view operator()(const Attempt& attempt) const {
    return attempt.forwarded_as.empty() ? "delivery" : "forwarded";
  }
  std::string_view operator()(const Client&) const { return "client"; }
  std::string_view operator()(const Pickup&) const { return "pickup"; }
  std::string_view operator()(const MessageId&) const { return "message-id"; }
  std::string_view operator()(const Queued&) const { return "queued"; }
  std::string_view operator()(const GaveUp&) const { return "expired"; }
  std::string_view operator()(const Removed&) const { return "removed"; }
  std::string_view operator()(const Rejected& rejected) const {
    return rejected.verdict == Verdict::refused ? "rejected" : "discarded";
  }
  std::string_view operator()(const Held&) const { return "held"; }
  std::string_view operator()(const Released&) const { return "released"; }
  std::string_view operator()(const Requeued&) const { return "requeued"; }
  std::string_view operator()(const ForcedExpiry&) const { return "force-expired"; }
  std::string_view operator()(const Notification&) const { return "notified"; }
  std::string_view operator()(const Redirection& redirection) const { return redirection.kind; }
  std::string_view operator()(const Cloned&) const { return "clone"; }
  std::string_view operator()(const Split&) const { return "split"; }
  std::string_view operator()(const Declined&) const { return "declined"; }
  std::string_view operator()(const Added&) const { return "added"; }
};

}  // namespace

std::string_view event_name(const DeliveryEvent& event) {
  return std::visit(Name{}, event.what);
}

std::string_view origin_of(const DeliveryEvent& event) {
  if (const Client* client = std::get_if<Client>(&event.what)) {
    return client->orig_queue_id;
  }
  const Pickup* pickup = std::get_if<Pickup>(&event.what);
  return pickup != nullptr ? pickup->orig_id : std::string_view();
}

}  // namespace mtrk::maillog

#include "common/maillog/held_events.h"

#include "common/base/ascii.h"
#include "common/maillog/relay.h"

#include <algorithm>

namespace mtrk::maillog {
namespace {

constexpr std::size_t kMaxForeign = 65536;  // open transactions; far more than an smtpd limit
constexpr std::size_t kOverhead = 256;      // of one event beside its octets, roughly
constexpr std::size_t kUsualEvents = 6;     // of a candidate
constexpr std::size_t kMaxSpare = 1024;

// Sendmail's one record of a message it has taken.
const Queued* sendmail_record(const DeliveryEvent& event) {
  const Queued* record = std::get_if<Queued>(&event.what);
  const bool taken = event.mta == Mta::sendmail && record != nullptr && !record->message_id.empty();
  return taken ? record : nullptr;
}

}  // namespace

HeldEvents::HeldEvents(std::span<const std::string> filters, HeldLimits limits) : limits_(limits) {
  for (const std::string& filter : filters) {
    std::string_view host = std::string_view(filter).substr(0, filter.rfind(':'));
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
      host = host.substr(1, host.size() - 2);
    }
    filter_hosts_.emplace_back(host);
  }
}

// client=NAME[ADDRESS]: this host, or a configured filter that re-injects from elsewhere.
bool HeldEvents::may_be_child(const Client& client) const {
  if (!client.orig_queue_id.empty()) {
    return true;
  }
  const Relay from = parse_relay(client.client);
  return is_loopback_address(from.address) ||
         std::any_of(filter_hosts_.begin(), filter_hosts_.end(),
                     [&](const std::string& host) { return iequals(host, from.address); });
}

// The candidate an event belongs to, made if the event shows one being born.
HeldEvents::Candidate* HeldEvents::candidate_for(const DeliveryEvent& event) {
  const auto known = index_.find(event.queue_id);
  const Client* client = std::get_if<Client>(&event.what);
  const Pickup* pickup = std::get_if<Pickup>(&event.what);
  const MessageId* message_id = std::get_if<MessageId>(&event.what);
  const Queued* record = sendmail_record(event);
  if (known != index_.end()) {
    candidates_.splice(candidates_.end(), candidates_, known->second);
  } else if (client != nullptr && !may_be_child(*client)) {
    if (foreign_.emplace(event.queue_id).second) {
      foreign_order_.emplace_back(event.queue_id);
      if (foreign_order_.size() > kMaxForeign) {
        foreign_.erase(foreign_order_.front());
        foreign_order_.pop_front();
      }
    }
    return nullptr;
  } else if (record != nullptr && !may_be_child(Client{record->client, {}})) {
    return nullptr;
  } else if (message_id != nullptr && foreign_.count(std::string(event.queue_id)) != 0) {
    foreign_.erase(std::string(event.queue_id));
    return nullptr;
  } else if (client != nullptr || pickup != nullptr || message_id != nullptr || record != nullptr ||
             std::holds_alternative<Split>(event.what)) {
    add_candidate();
    candidates_.back().queue_id = event.queue_id;
    index_.emplace(candidates_.back().queue_id, std::prev(candidates_.end()));
  } else {
    return nullptr;
  }
  Candidate& candidate = candidates_.back();
  const std::string_view origin = client != nullptr   ? client->orig_queue_id
                                  : pickup != nullptr ? pickup->orig_id
                                                      : std::string_view();
  if (!origin.empty() && candidate.origin.empty()) {
    candidate.origin = origin;
    children_.emplace(origin, candidate.queue_id);
  }
  candidate.received =
      candidate.received || client != nullptr || pickup != nullptr || record != nullptr;
  if (candidate.message_id == 0 && message_id != nullptr) {
    candidate.message_id = message_id_hash(message_id->message_id);
  } else if (candidate.message_id == 0 && record != nullptr) {
    candidate.message_id = message_id_hash(record->message_id);
  }
  return &candidate;
}

void HeldEvents::note(const DeliveryEvent& event, Keep keep, std::string_view line) {
  expire(event.at);
  Candidate* candidate = candidate_for(event);
  if (candidate == nullptr) {
    return;
  }
  candidate->last = event.at;
  if (keep == Keep::identity ||
      (event.mta == Mta::postfix && std::holds_alternative<Notification>(event.what))) {
    return;
  }
  if (candidate->events.capacity() == 0) {
    candidate->events.reserve(kUsualEvents);
  }
  candidate->events.emplace_back(event, line);
  ++events_;
  octets_ += candidate->events.back().octets() + kOverhead;
}

void HeldEvents::forget(Candidates::iterator candidate) {
  for (const OwnedEvent& event : candidate->events) {
    octets_ -= event.octets() + kOverhead;
  }
  events_ -= candidate->events.size();
  const auto [begin, end] = children_.equal_range(candidate->origin);
  const auto child =
      std::find_if(begin, end, [&](const auto& row) { return row.second == candidate->queue_id; });
  if (child != end) {
    children_.erase(child);
  }
  index_.erase(candidate->queue_id);
  if (spare_.size() >= kMaxSpare) {
    candidates_.erase(candidate);
    return;
  }
  candidate->events.clear();
  spare_.splice(spare_.end(), candidates_, candidate);
}

void HeldEvents::add_candidate() {
  if (spare_.empty()) {
    candidates_.emplace_back();
    return;
  }
  Candidate& used = spare_.back();
  std::vector<OwnedEvent> events = std::move(used.events);
  used = {};
  used.events = std::move(events);
  candidates_.splice(candidates_.end(), spare_, std::prev(spare_.end()));
}

// Log time runs backwards now and then (several writers, a clock that was set): then nothing ages.
void HeldEvents::expire(LogTime now) {
  while (!candidates_.empty() &&
         (now - candidates_.front().last > limits_.age || events_ > limits_.events ||
          octets_ > limits_.octets || candidates_.size() > limits_.events)) {
    dropped_ += candidates_.front().events.size();
    forget(candidates_.begin());
  }
}

std::vector<OwnedEvent> HeldEvents::take(std::string_view queue_id) {
  const auto known = index_.find(queue_id);
  if (known == index_.end()) {
    return {};
  }
  const Candidates::iterator candidate = known->second;
  for (const OwnedEvent& event : candidate->events) {
    octets_ -= event.octets() + kOverhead;
  }
  events_ -= candidate->events.size();
  std::vector<OwnedEvent> events = std::move(candidate->events);
  candidate->events.clear();
  return events;  // the identity stays: a second recipient may need the proof
}

std::vector<std::string> HeldEvents::children_of(std::string_view queue_id) const {
  std::vector<std::string> ids;
  const auto [begin, end] = children_.equal_range(std::string(queue_id));
  std::transform(begin, end, std::back_inserter(ids), [](const auto& row) { return row.second; });
  std::reverse(ids.begin(), ids.end());
  return ids;
}

bool HeldEvents::received_here(std::string_view queue_id) const {
  const auto known = index_.find(queue_id);
  return known != index_.end() && known->second->received;
}

bool HeldEvents::received_here(std::string_view queue_id, std::uint64_t message_id_hash) const {
  const auto known = index_.find(queue_id);
  return known != index_.end() && known->second->received && message_id_hash != 0 &&
         known->second->message_id == message_id_hash;
}

}  // namespace mtrk::maillog

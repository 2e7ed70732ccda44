#include "common/maillog/held_events.h"

#include "common/base/ascii.h"
#include "common/maillog/relay.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace mtrk::maillog {
namespace {

constexpr std::size_t kMaxForeign = 65536;  // open transactions, far more than any limit of smtpd
constexpr std::size_t kOverhead = 256;      // rough octets of one event beside its copy
constexpr std::size_t kUsualEvents = 6;     // of a candidate
constexpr std::size_t kMaxSpare = 1024;
constexpr std::size_t kMostOfOneMessageId = 64;  // the others cannot be found by it

// Returns Sendmail's one record of a message that it has accepted, or null.
const Queued* sendmail_record(const DeliveryEvent& event) {
  const Queued* record = std::get_if<Queued>(&event.what);
  const bool taken = event.mta == Mta::sendmail && record != nullptr && !record->message_id.empty();
  return taken ? record : nullptr;
}

// Returns the name of a transaction that is open for a client from elsewhere. Two octets of the
// host are enough for what lasts a moment, and keep the name short enough for a string without an
// allocation.
std::string foreign_name(std::string_view queue_id, const QueueSpace& space) {
  std::string name(queue_id);
  name += static_cast<char>(space.host & 0xFF);
  name += static_cast<char>(space.host >> 8 & 0xFF);
  return name;
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

// Returns whether client=NAME[ADDRESS] is this host or a configured filter that re-injects from
// elsewhere.
bool HeldEvents::may_be_child(const Client& client) const {
  if (!client.orig_queue_id.empty()) {
    return true;
  }
  const Relay from = parse_relay(client.client);
  return is_loopback_address(from.address) ||
         std::any_of(filter_hosts_.begin(), filter_hosts_.end(),
                     [&](const std::string& host) { return iequals(host, from.address); });
}

std::optional<HeldEvents::Candidates::iterator> HeldEvents::find(std::string_view queue_id,
                                                                 const QueueSpace& space) const {
  // It is nearly always the first one, and the following rows are not even looked at.
  auto row = index_.find(queue_id);
  while (row != index_.end() && !row->second->space.same_queue(space)) {
    ++row;
    if (row != index_.end() && row->first != queue_id) {
      return std::nullopt;
    }
  }
  return row == index_.end() ? std::nullopt : std::optional(row->second);
}

// Returns the candidate that an event belongs to, and creates it if the event shows the birth of
// one.
HeldEvents::Candidate* HeldEvents::candidate_for(const DeliveryEvent& event,
                                                 const QueueSpace& space) {
  std::optional<Candidates::iterator> known = find(event.queue_id, space);
  const Client* client = std::get_if<Client>(&event.what);
  const Pickup* pickup = std::get_if<Pickup>(&event.what);
  const MessageId* message_id = std::get_if<MessageId>(&event.what);
  const Queued* record = sendmail_record(event);
  if (known && (*known)->removed && (client != nullptr || pickup != nullptr)) {
    forget(*known);  // the short queue id was assigned again
    known.reset();
  }
  if (known) {
    candidates_.splice(candidates_.end(), candidates_, *known);
  } else if (client != nullptr && !may_be_child(*client)) {
    std::string name = foreign_name(event.queue_id, space);
    if (foreign_.insert(name).second) {
      foreign_order_.push_back(std::move(name));
      if (foreign_order_.size() > kMaxForeign) {
        foreign_.erase(foreign_order_.front());
        foreign_order_.pop_front();
      }
    }
    return nullptr;
  } else if (record != nullptr && !may_be_child(Client{record->client, {}})) {
    return nullptr;
  } else if (message_id != nullptr && foreign_.erase(foreign_name(event.queue_id, space)) != 0) {
    return nullptr;
  } else if (client != nullptr || pickup != nullptr || message_id != nullptr || record != nullptr ||
             std::holds_alternative<Split>(event.what)) {
    add_candidate(event.queue_id);
    candidates_.back().first = event.at;
  } else {
    return nullptr;
  }
  Candidate& candidate = candidates_.back();
  candidate.space.learn(space);
  const std::string_view origin = client != nullptr   ? client->orig_queue_id
                                  : pickup != nullptr ? pickup->orig_id
                                                      : std::string_view();
  if (!origin.empty() && candidate.origin.empty()) {
    candidate.origin = origin;
    children_.emplace(origin, &candidate);
  }
  candidate.received =
      candidate.received || client != nullptr || pickup != nullptr || record != nullptr;
  candidate.picked_up = candidate.picked_up || pickup != nullptr;
  candidate.removed = candidate.removed || std::holds_alternative<Removed>(event.what);
  if (candidate.message_id == 0 && message_id != nullptr) {
    candidate.message_id = message_id_hash(message_id->message_id);
  } else if (candidate.message_id == 0 && record != nullptr) {
    candidate.message_id = message_id_hash(record->message_id);
  }
  if (message_ids_wanted_ && !candidate.indexed && candidate.message_id != 0) {
    index_message_id(candidate);
  }
  return &candidate;
}

// Indexes only a candidate that may be a message which comes back without saying whose it is.
void HeldEvents::index_message_id(Candidate& candidate) const {
  const auto [begin, end] = by_message_id_.equal_range(candidate.message_id);
  if (candidate.received && candidate.origin.empty() &&
      static_cast<std::size_t>(std::distance(begin, end)) < kMostOfOneMessageId) {
    by_message_id_.emplace(candidate.message_id, &candidate);
    candidate.indexed = true;
  }
}

void HeldEvents::note(const DeliveryEvent& event,
                      Keep keep,
                      std::string_view line,
                      const QueueSpace& space) {
  expire(event.at);
  Candidate* candidate = candidate_for(event, space);
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
  candidate->events.emplace_back(event, line, line.empty() ? &pool_ : nullptr);
  ++events_;
  octets_ += candidate->events.back().octets() + kOverhead;
}

void HeldEvents::forget(Candidates::iterator candidate) {
  for (const OwnedEvent& event : candidate->events) {
    octets_ -= event.octets() + kOverhead;
  }
  events_ -= candidate->events.size();
  if (!candidate->origin.empty()) {
    const auto [begin, end] = children_.equal_range(candidate->origin);
    children_.erase(
        std::find_if(begin, end, [&](const auto& row) { return row.second == &*candidate; }));
  }
  if (candidate->indexed) {
    const auto [same, other] = by_message_id_.equal_range(candidate->message_id);
    by_message_id_.erase(
        std::find_if(same, other, [&](const auto& row) { return row.second == &*candidate; }));
  }
  auto own = index_.find(candidate->queue_id);
  while (own->second != candidate) {
    ++own;
  }
  index_.erase(own);
  if (spare_.size() >= kMaxSpare) {
    candidates_.erase(candidate);
    return;
  }
  candidate->events.clear();
  spare_.splice(spare_.end(), candidates_, candidate);
}

void HeldEvents::add_candidate(std::string_view queue_id) {
  if (spare_.empty()) {
    candidates_.emplace_back();
  } else {
    Candidate& used = spare_.back();
    std::vector<OwnedEvent> events = std::move(used.events);
    used = {};
    used.events = std::move(events);
    candidates_.splice(candidates_.end(), spare_, std::prev(spare_.end()));
  }
  candidates_.back().queue_id = queue_id;
  index_.emplace(candidates_.back().queue_id, std::prev(candidates_.end()));
}

// Log time sometimes runs backwards (there are several writers, or a clock was set). Then nothing
// ages.
void HeldEvents::expire(LogTime now) {
  while (!candidates_.empty() &&
         (now - candidates_.front().last > limits_.age || events_ > limits_.events ||
          octets_ > limits_.octets || candidates_.size() > limits_.events)) {
    dropped_ += candidates_.front().events.size();
    forget(candidates_.begin());
  }
}

HeldEvents::Past HeldEvents::take(std::string_view queue_id, const QueueSpace& space) {
  const auto known = find(queue_id, space);
  if (!known) {
    return {};
  }
  Candidate& candidate = **known;
  for (const OwnedEvent& event : candidate.events) {
    octets_ -= event.octets() + kOverhead;
  }
  events_ -= candidate.events.size();
  Past past{candidate.space, std::move(candidate.events)};
  candidate.events.clear();
  return past;  // the identity is kept, because a second recipient may need the proof
}

std::vector<HeldEvents::Child> HeldEvents::children_of(std::string_view queue_id,
                                                       const QueueSpace& space) const {
  std::vector<Child> children;
  const auto [begin, end] = children_.equal_range(std::string(queue_id));
  for (auto row = begin; row != end; ++row) {
    if (row->second->space.same_host(space)) {
      children.push_back({row->second->queue_id, row->second->space});
    }
  }
  std::reverse(children.begin(), children.end());
  return children;
}

std::optional<trace::Reception> HeldEvents::received_here(std::string_view queue_id,
                                                          const QueueSpace& host) const {
  const auto known = find(queue_id, host);
  if (!known || !(*known)->received) {
    return std::nullopt;
  }
  return reception(**known);
}

std::span<const OwnedEvent> HeldEvents::past(std::string_view queue_id,
                                             const QueueSpace& space) const {
  const auto known = find(queue_id, space);
  return known ? std::span<const OwnedEvent>((*known)->events) : std::span<const OwnedEvent>();
}

trace::Reception HeldEvents::reception(const Candidate& candidate) {
  return {candidate.queue_id, candidate.space,     candidate.message_id,
          candidate.first,    candidate.picked_up, nullptr};
}

std::vector<trace::Reception> HeldEvents::received_again(std::uint64_t message_id,
                                                         const QueueSpace& host) const {
  if (!message_ids_wanted_) {
    message_ids_wanted_ = true;
    for (Candidate& candidate : candidates_) {
      if (candidate.message_id != 0) {
        index_message_id(candidate);
      }
    }
  }
  std::vector<trace::Reception> found;
  const auto [begin, end] = by_message_id_.equal_range(message_id);
  for (auto row = begin; row != end; ++row) {
    if (row->second->space.same_host(host)) {
      found.push_back(reception(*row->second));
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.at, a.queue_id) < std::tie(b.at, b.queue_id);
  });
  return found;
}

}  // namespace mtrk::maillog

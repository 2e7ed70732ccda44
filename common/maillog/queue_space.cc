#include "common/maillog/queue_space.h"

#include "common/base/ascii.h"
#include "common/maillog/stable_hash.h"

#include <algorithm>

namespace mtrk::maillog {
namespace {

constexpr std::size_t kMostInstances = 256;  // for all hosts together

std::uint64_t name_hash(std::string_view name) {
  return name.empty() ? 0 : std::max<std::uint64_t>(stable_hash(to_lower(name)), 1);
}

// Returns whether `host` is an address. "192.0.2.1" is not the host "192" of a domain; an IPv6
// address has no dot before its first colon.
bool is_address(std::string_view host) {
  const std::size_t dot = host.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  return host.find(':') != std::string_view::npos ||
         (!last.empty() && std::all_of(last.begin(), last.end(), is_digit));
}

// Returns the tag before the first slash: the name under which the service is configured to log.
std::string_view syslog_name(const DeliveryEvent& event) {
  return event.program.substr(0, event.program.find('/'));
}

// Returns whether only the queue manager logs such an event.
bool is_of_queue_manager(const DeliveryEvent& event) {
  if (event.mta != Mta::postfix) {
    return false;
  }
  if (const Removed* removed = std::get_if<Removed>(&event.what)) {
    return removed->by == "qmgr" || removed->by == "oqmgr";
  }
  return std::holds_alternative<Queued>(event.what) || std::holds_alternative<GaveUp>(event.what);
}

}  // namespace

bool QueueSpace::learn(const QueueSpace& other) {
  const QueueSpace before = *this;
  if (host == 0) {
    host = other.host;
    domain = other.domain;
  } else if (domain == 0 && host == other.host) {
    domain = other.domain;
  }
  if (instance == 0) {
    instance = other.instance;
  }
  return !(*this == before);
}

QueueSpace host_space(std::string_view host) {
  if (host.empty() || host == "-") {
    return {};
  }
  const std::size_t dot = is_address(host) ? std::string_view::npos : host.find('.');
  std::string_view domain = dot == std::string_view::npos ? "" : host.substr(dot + 1);
  if (!domain.empty() && domain.back() == '.') {
    domain.remove_suffix(1);
  }
  return {name_hash(host.substr(0, dot)), name_hash(domain), 0};
}

QueueSpaces::QueueSpaces(std::string_view own_host) : own_(host_space(own_host)) {}

void QueueSpaces::take_host(std::string_view host) {
  host_text_ = host;
  host_ = host_space(host);
  if (host_.host != 0 && own_.host != 0 && own_.same_host(host_)) {
    host_ = {};
    own_seen_ = true;
  }
}

void QueueSpaces::take_name(std::string_view name) {
  name_text_ = name;
  name_ = name_hash(name);
}

bool QueueSpaces::is_instance() const {
  return std::any_of(instances_.begin(), instances_.end(), [this](const Instance& known) {
    return known.name == name_ && known.host.same_host(host_);
  });
}

void QueueSpaces::update() {
  space_ = host_;
  space_.instance = name_ != 0 && is_instance() ? name_ : 0;
}

void QueueSpaces::learn(const DeliveryEvent& event) {
  const std::string_view name =
      event.mta == Mta::sendmail ? std::string_view() : syslog_name(event);
  bool changed = false;
  if (event.host != host_text_) {
    take_host(event.host);
    changed = true;
  }
  if (name != name_text_) {
    take_name(name);
    changed = true;
  }
  if (changed) {
    update();
  }
  if (space_.instance == 0 && name_ != 0 && is_of_queue_manager(event) &&
      instances_.size() < kMostInstances) {
    instances_.push_back({host_, name_});
    update();
  }
}

QueueSpace QueueSpaces::of(const DeliveryEvent& event) {
  learn(event);
  return space_;
}

}  // namespace mtrk::maillog

#include "mtqpd/server/address_limiter.h"

#include "common/net/source_network.h"

#include <algorithm>
#include <utility>

namespace mtrk::mtqpd {
namespace {

using Ip = net::asio::ip::address;

net::Clock::duration time_per_miss(unsigned per_minute) {
  return net::Clock::duration(std::chrono::minutes(1)) / std::max(1U, per_minute);
}

}  // namespace

AddressLimiter::Place AddressLimiter::enter(const Ip& address,
                                            const AddressLimits& limits,
                                            TimePoint now) {
  const bool trusted = net::is_trusted(address, limits.trusted);
  const std::lock_guard lock(mutex_);
  if (connections_.load(std::memory_order_relaxed) >= limits.connections) {
    return Place(Refusal::full);
  }
  if (trusted) {
    ++connections_;
    return {this, nullptr};
  }
  if (limits.connections_per_source == 0) {
    return Place(Refusal::source_full);
  }
  const auto [entry, inserted] = sources_.try_emplace(net::source_network(address));
  Source& source = entry->second;
  if (inserted) {
    source.network = entry->first;
  } else if (source.penalty_until > now + kTolerated) {
    return Place(Refusal::penalty);
  } else if (source.connections >= limits.connections_per_source) {
    return Place(Refusal::source_full);
  } else if (source.connections == 0) {
    remembered_.erase(source.remembered);
  }
  ++source.connections;
  ++connections_;
  return {this, &source};
}

void AddressLimiter::leave(Source* source) noexcept {
  const std::lock_guard lock(mutex_);
  --connections_;
  if (source == nullptr || --source->connections > 0) {
    return;
  }
  const TimePoint now = net::Clock::now();
  const auto owes = [&](const Source& one) {
    return one.penalty_until > now ||
           one.misses_until.load(std::memory_order_relaxed) > now.time_since_epoch().count();
  };
  try {
    source->remembered = remembered_.insert(remembered_.end(), source);
  } catch (const std::bad_alloc&) {
    const std::uint64_t network = source->network;
    sources_.erase(network);
    return;
  }
  if (!owes(*source)) {
    forget(*source);
  }
  while (!remembered_.empty() &&
         (remembered_.size() > kRemembered || !owes(*remembered_.front()))) {
    forget(*remembered_.front());
  }
}

void AddressLimiter::forget(Source& source) {
  const std::uint64_t network = source.network;
  remembered_.erase(source.remembered);
  sources_.erase(network);
}

void AddressLimiter::punish(Source& source, TimePoint now) {
  const std::lock_guard lock(mutex_);
  source.penalty_until =
      std::min(std::max(source.penalty_until, now) + kOffence, now + kMostPenalty);
}

AddressLimiter::Handshake::~Handshake() {
  if (limiter_ != nullptr) {
    --limiter_->handshakes_;
  }
}

std::size_t AddressLimiter::sources() const {
  const std::lock_guard lock(mutex_);
  return sources_.size();
}

AddressLimiter::Place::Place(Place&& other) noexcept
    : limiter_(std::exchange(other.limiter_, nullptr)),
      source_(other.source_),
      refusal_(other.refusal_) {}

AddressLimiter::Place& AddressLimiter::Place::operator=(Place&& other) noexcept {
  std::swap(limiter_, other.limiter_);
  std::swap(source_, other.source_);
  std::swap(refusal_, other.refusal_);
  return *this;
}

AddressLimiter::Place::~Place() {
  if (limiter_ != nullptr) {
    limiter_->leave(source_);
  }
}

// Several connections of a source may be here at the same time. A miss that is not counted for that
// reason does no harm.
void AddressLimiter::Place::miss(unsigned per_minute, TimePoint now) {
  if (source_ != nullptr && per_minute != 0) {
    const net::Clock::rep begin = std::max(source_->misses_until.load(std::memory_order_relaxed),
                                           now.time_since_epoch().count());
    source_->misses_until.store(begin + time_per_miss(per_minute).count(),
                                std::memory_order_relaxed);
  }
}

bool AddressLimiter::Place::may_ask_at(unsigned per_minute, TimePoint now) const {
  if (source_ == nullptr || per_minute == 0) {
    return true;
  }
  const TimePoint until{
      net::Clock::duration(source_->misses_until.load(std::memory_order_relaxed))};
  return until + time_per_miss(per_minute) <= now + std::chrono::minutes(1);
}

AddressLimiter::Handshake AddressLimiter::Place::begin_handshake(const AddressLimits& limits) {
  constexpr unsigned kAlways = 64;
  if (limiter_->handshakes_.fetch_add(1) >= std::max(kAlways, limits.connections / 10)) {
    --limiter_->handshakes_;
    return {};
  }
  return Handshake(limiter_);
}

void AddressLimiter::Place::offend(TimePoint now) {
  if (source_ != nullptr) {
    limiter_->punish(*source_, now);
  }
}

}  // namespace mtrk::mtqpd

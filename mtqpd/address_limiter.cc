#include "mtqpd/address_limiter.h"

#include <utility>

namespace mtrk::mtqpd {

std::uint64_t source_network(const net::asio::ip::address& address) {
  if (address.is_v4()) {
    return address.to_v4().to_uint();  // the upper half is zero, as of ::/64: only ::1 is there
  }
  const net::asio::ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) {
    return net::asio::ip::make_address_v4(net::asio::ip::v4_mapped, v6).to_uint();
  }
  const net::asio::ip::address_v6::bytes_type octets = v6.to_bytes();
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    prefix = prefix << 8 | octets[i];
  }
  return prefix;
}

AddressLimiter::Place AddressLimiter::enter(const net::asio::ip::address& address,
                                            unsigned total,
                                            unsigned each) {
  const std::uint64_t source = source_network(address);
  const std::lock_guard lock(mutex_);
  if (connections_ >= total) {
    return {};
  }
  const auto [entry, inserted] = sources_.try_emplace(source, 0);
  if (entry->second >= each) {
    if (inserted) {
      sources_.erase(entry);
    }
    return {};
  }
  ++entry->second;
  ++connections_;
  return {this, source};
}

std::size_t AddressLimiter::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_;
}

void AddressLimiter::leave(std::uint64_t source) noexcept {
  const std::lock_guard lock(mutex_);
  const auto entry = sources_.find(source);
  --connections_;
  if (--entry->second == 0) {
    sources_.erase(entry);
  }
}

AddressLimiter::Place::Place(Place&& other) noexcept
    : limiter_(std::exchange(other.limiter_, nullptr)), source_(other.source_) {}

AddressLimiter::Place& AddressLimiter::Place::operator=(Place&& other) noexcept {
  std::swap(limiter_, other.limiter_);
  std::swap(source_, other.source_);
  return *this;
}

AddressLimiter::Place::~Place() {
  if (limiter_ != nullptr) {
    limiter_->leave(source_);
  }
}

}  // namespace mtrk::mtqpd

#include "milter/gate/limiter.h"

namespace mtrk::gate {
namespace {

std::uint64_t network_of(const net::asio::ip::address& address) {
  if (address.is_v4()) {
    // The upper half is zero, as for ::/64, in which there is only ::1.
    return address.to_v4().to_uint();
  }
  const net::asio::ip::address_v6::bytes_type octets = address.to_v6().to_bytes();
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    prefix = prefix << 8 | octets[i];
  }
  return prefix;
}

}  // namespace

GateLimiter::Place GateLimiter::enter(const net::asio::ip::address& address,
                                      unsigned total,
                                      unsigned each) {
  const std::uint64_t source = network_of(address);
  const auto known = sources_.find(source);
  if (connections_ >= total || (known != sources_.end() && known->second >= each)) {
    return {};
  }
  ++sources_[source];
  ++connections_;
  return {this, source};
}

void GateLimiter::leave(std::uint64_t source) noexcept {
  const auto entry = sources_.find(source);
  --connections_;
  if (--entry->second == 0) {
    sources_.erase(entry);
  }
}

}  // namespace mtrk::gate

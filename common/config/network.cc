#include "common/config/network.h"

#include "common/base/ascii.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <optional>
#include <string>

namespace mtrk {
namespace {

constexpr unsigned kMappedBits = 96;  // the prefix of ::ffff:0:0/96

// Returns one octet of a mask with `bits` ones.
std::uint8_t mask_octet(unsigned bits, std::size_t index) {
  const auto begin = static_cast<unsigned>(8 * index);
  if (bits >= begin + 8) {
    return 0xff;
  }
  return bits <= begin ? std::uint8_t{0} : static_cast<std::uint8_t>(0xff << (begin + 8 - bits));
}

// Reads an address and returns how many bits of `address` precede those that were written (those of
// ::ffff:0:0/96 for IPv4).
std::optional<unsigned> read_address(const std::string& text, Network::Address& address) {
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const auto* octets = reinterpret_cast<const std::uint8_t*>(&v4.s_addr);
    std::copy_n(octets, sizeof v4.s_addr, address.begin() + kMappedBits / 8);
    return kMappedBits;
  }
  in6_addr v6{};
  if (::inet_pton(AF_INET6, text.c_str(), &v6) == 1) {
    std::copy_n(v6.s6_addr, address.size(), address.begin());
    return 0;
  }
  return std::nullopt;
}

}  // namespace

bool Network::contains(const Address& other) const {
  for (std::size_t i = 0; 8 * i < bits; ++i) {
    if (((address[i] ^ other[i]) & mask_octet(bits, i)) != 0) {
      return false;
    }
  }
  return true;
}

Expected<Network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  Network network;
  const std::optional<unsigned> in_front =
      read_address(std::string(text.substr(0, slash)), network.address);
  if (!in_front || text.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::syntax, fmt::format("\"{}\" is not a network: write 192.0.2.0/24, "
                                               "2001:db8::/32, or an address",
                                               escape_for_people(text, 80)));
  }
  if (slash != std::string_view::npos) {
    const auto bits = parse_number<unsigned>(text.substr(slash + 1));
    if (!bits || *bits > 128 - *in_front) {
      return fail(ErrorCode::out_of_range,
                  fmt::format("\"{}\": the length is a number from 0 to {}",
                              escape_for_people(text, 80), 128 - *in_front));
    }
    network.bits = *in_front + *bits;
  }
  for (std::size_t i = 0; i < network.address.size(); ++i) {
    if ((network.address[i] & ~mask_octet(network.bits, i)) != 0) {
      return fail(ErrorCode::syntax,
                  fmt::format("\"{}\": bits are set behind the length of the network",
                              escape_for_people(text, 80)));
    }
  }
  return network;
}

}  // namespace mtrk

#pragma once

#include "common/net/asio.h"
#include "milter/gate/session/routed.h"
#include "milter/gate/settings.h"

#include <tl/expected.hpp>

#include <memory>
#include <string>
#include <vector>

namespace mtrk::gate {

using Places = std::vector<smtp::GateRoutedSession::Place>;

// Returns the places for mail to `domain` by the rule `route`, in the order in which to try them,
// or the reply that its recipients get. A look-up of MX records (common/net/mail_hosts.h) never
// leads to this host: the addresses of its interfaces and [gate.outbound] own_addresses are left
// out. There are at most kMaxPlaces places, and kMaxOfHost of one host.
inline constexpr std::size_t kMaxPlaces = 8;
inline constexpr std::size_t kMaxOfHost = 4;
[[nodiscard]] net::Awaitable<tl::expected<Places, std::string>> find_places(
    std::shared_ptr<const Settings> settings, smtp::GateRoute route, std::string domain);

// Returns the name that has to be in the certificate of `host`, an MX of `domain`, if TLS is
// required. That is the host's own name only if it lies within the domain, and otherwise the
// domain, because an attacker who can forge MX records could name any host.
[[nodiscard]] std::string certificate_name(const std::string& host, const std::string& domain);

// Returns true if `address` may belong to this mail system, so that it must not be connected to: it
// is in one of the networks `own`, among `interfaces`, unspecified, or multicast.
[[nodiscard]] bool is_own_address(const net::asio::ip::address& address,
                                  const std::vector<Network>& own,
                                  const std::vector<net::asio::ip::address>& interfaces);

}  // namespace mtrk::gate

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

// The places for mail to `domain` by its rule, in the order to try them; or the reply its
// recipients get. By MX (common/net/mail_hosts.h) never to this host: the addresses of its
// interfaces and [gate.outbound] own_addresses are not connected to. At most kMaxPlaces, of one
// host kMaxOfHost.
inline constexpr std::size_t kMaxPlaces = 8;
inline constexpr std::size_t kMaxOfHost = 4;
[[nodiscard]] net::Awaitable<tl::expected<Places, std::string>> find_places(
    std::shared_ptr<const Settings> settings, smtp::GateRoute route, std::string domain);

// The name that has to be in the certificate of the MX `host` of `domain`, where TLS is required.
// Who can forge MX records could name any host, so the host's own name counts only within the
// domain; else it has to be the domain.
[[nodiscard]] std::string certificate_name(const std::string& host, const std::string& domain);

// What is connected to must not be this mail system. `own` are networks beside the addresses in
// `interfaces`.
[[nodiscard]] bool is_own_address(const net::asio::ip::address& address,
                                  const std::vector<Network>& own,
                                  const std::vector<net::asio::ip::address>& interfaces);

}  // namespace mtrk::gate

#include "milter/gate/server.h"

#include "common/base/log.h"
#include "common/net/listener.h"
#include "common/net/plain_address.h"
#include "milter/gate/session/outbound.h"
#include "milter/gate/session/routed.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace mtrk::gate {
namespace {

namespace asio = net::asio;

constexpr std::chrono::milliseconds kAcceptPause{100};

void report(const std::exception_ptr& failure) {
  try {
    if (failure) {
      std::rethrow_exception(failure);
    }
  } catch (const std::exception& error) {
    log::error("", {{"mtrk-gate", "exception in a connection"}, {"reason", error.what()}});
  }
}

smtp::SocketAddress socket_address(const net::Tcp::endpoint& endpoint) {
  const asio::ip::address address = net::plain(endpoint.address());
  smtp::SocketAddress result{{}, endpoint.port()};
  if (address.is_v4()) {
    const auto octets = address.to_v4().to_bytes();
    result.octets.assign(octets.begin(), octets.end());
  } else {
    const auto octets = address.to_v6().to_bytes();
    result.octets.assign(octets.begin(), octets.end());
  }
  return result;
}

// Sends the whole negative greeting or nothing; a fresh socket has room for it.
void turn_away(net::Socket& socket, const std::string& reply) {
  net::error_code ignored;
  socket.non_blocking(true, ignored);
  static_cast<void>(socket.send(asio::buffer(reply), 0, ignored));
  socket.shutdown(net::Socket::shutdown_both, ignored);
}

// Returns where a session leads, for the log.
std::string describe(const Settings::Outbound& outbound) {
  if (outbound.routes) {
    return "by domain";
  }
  const NextHop& hop = outbound.next_hop;
  return hop.path.empty() ? hop.at.host : hop.path;
}

std::string number(std::uint64_t value) {
  return fmt::format("{}", value);
}

}  // namespace

GateServer::GateServer(const Addresses& addresses, std::shared_ptr<const Settings> settings)
    : settings_(std::move(settings)),
      resolver_(std::make_unique<net::DnsResolver>()),
      look_up_(std::make_shared<GateLookUp>(settings_->look_up_path)) {
  for (const net::Tcp::endpoint& endpoint : addresses.inbound) {
    listen(endpoint, Side::inbound);
  }
  for (const net::Tcp::endpoint& endpoint : addresses.outbound) {
    listen(endpoint, Side::outbound);
  }
}

void GateServer::listen(const net::Tcp::endpoint& endpoint, Side side) {
  listeners_.push_back({net::open_listener(context_, endpoint, net::Sharing::none), side});
  (side == Side::inbound ? addresses_.inbound : addresses_.outbound)
      .push_back(listeners_.back().acceptor.local_endpoint());
}

void GateServer::start() {
  for (Listener& listener : listeners_) {
    asio::co_spawn(context_, accept_all(listener), report);
  }
  asio::co_spawn(context_, sweep(), report);
  if (!addresses_.outbound.empty()) {
    asio::co_spawn(context_, look_up_->keep(), report);
  }
}

void GateServer::drain() {
  draining_ = true;
  for (Listener& listener : listeners_) {
    net::error_code ignored;
    listener.acceptor.close(ignored);
  }
  connections_.drain();
}

net::Awaitable<void> GateServer::sweep() {
  while (!draining_ || !connections_.empty()) {
    connections_.sweep(net::Clock::now());
    sweep_timer_.expires_after(settings_->deadlines.sweep);
    co_await sweep_timer_.async_wait(net::kAwait);
  }
}

net::Awaitable<void> GateServer::accept_all(Listener& listener) {
  net::Timer pause(context_);
  while (listener.acceptor.is_open()) {
    auto [error, socket] = co_await listener.acceptor.async_accept(net::kAwait);
    if (!error) {
      admit(std::move(socket), listener.side);
    } else if (error != asio::error::operation_aborted &&
               error != asio::error::connection_aborted) {
      // There are no descriptors or there is no memory: trying again at once would spin.
      log::warning("", {{"mtrk-gate", "cannot accept"}, {"reason", error.message()}});
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(net::kAwait);
    }
  }
}

void GateServer::admit(net::Socket socket, Side side) {
  net::error_code error;
  const net::Tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) {
    return;  // it was reset already
  }
  const bool inbound = side == Side::inbound;
  const auto& networks = inbound ? settings_->inbound.networks : settings_->outbound.networks;
  if (!is_in(networks, peer.address())) {
    log::info("", {{"client", peer.address().to_string()}, {"refused", "not in networks"}});
    turn_away(socket, "554 5.7.1 " + settings_->hostname + " You may not use this server\r\n");
    return;
  }
  GateLimiter::Place place =
      inbound
          ? inbound_limiter_.enter(net::plain(peer.address()), settings_->inbound.max_connections,
                                   settings_->inbound.max_connections_per_address)
          : outbound_limiter_.enter(net::plain(peer.address()), settings_->outbound.max_connections,
                                    settings_->outbound.max_connections);
  if (!place) {
    turn_away(socket, "421 4.7.0 " + settings_->hostname + " Too many connections\r\n");
    return;
  }
  net::tune(socket);
  asio::co_spawn(context_,
                 inbound ? serve_inbound(std::move(socket), peer, std::move(place))
                         : serve_outbound(std::move(socket), peer, std::move(place)),
                 report);
}

net::Awaitable<smtp::ClientIdentity> GateServer::identify(const net::Socket& socket,
                                                          const net::Tcp::endpoint& peer,
                                                          bool with_name) {
  net::error_code ignored;
  smtp::ClientIdentity identity;
  identity.client = socket_address(peer);
  identity.here = socket_address(socket.local_endpoint(ignored));
  identity.address = net::plain(peer.address()).to_string();
  if (!with_name) {
    co_return identity;
  }
  // A name counts if it leads back to this address, as it does for Postfix.
  asio::ip::basic_resolver<net::Tcp, net::Executor> resolver(context_.get_executor());
  const net::Tcp::endpoint client(net::plain(peer.address()), peer.port());
  const auto [no_name, names] = co_await resolver.async_resolve(client, net::kAwait);
  identity.name_unknown_for_now = no_name == asio::error::host_not_found_try_again;
  if (no_name || names.empty() || names.begin()->host_name() == identity.address) {
    co_return identity;
  }
  const std::string name = names.begin()->host_name();
  const auto [no_address, addresses] = co_await resolver.async_resolve(name, "", net::kAwait);
  identity.name_unknown_for_now = no_address == asio::error::host_not_found_try_again;
  const bool proven =
      !no_address && std::any_of(addresses.begin(), addresses.end(), [&](const auto& one) {
        return net::plain(one.endpoint().address()) == client.address();
      });
  identity.name = proven ? name : "";
  co_return identity;
}

net::Awaitable<void> GateServer::serve_inbound(net::Socket socket,
                                               net::Tcp::endpoint peer,
                                               GateLimiter::Place place) {
  const std::shared_ptr<const Settings> settings = settings_;
  const Settings::Inbound& inbound = settings->inbound;
  const bool by_name = inbound.identify == smtp::GateInboundSession::Identify::xclient;
  smtp::ClientIdentity identity = co_await identify(socket, peer, by_name);
  smtp::GateInboundSession session({{settings->hostname, inbound.upstream_tls},
                                    inbound.identify,
                                    settings->tls != nullptr,
                                    inbound.auth_in_clear},
                                   std::move(identity));
  {
    GateConnection connection(std::move(socket), std::move(place), settings,
                              {inbound.upstream, "", settings->client_tls(inbound.upstream_tls)},
                              *resolver_, connections_);
    GateConnection::Outbound none;
    co_await connection.run(session, std::move(none));
  }
  log::info("", {{"client", peer.address().to_string()},
                 {"tls", session.client_tls() ? "yes" : "no"},
                 {"messages", number(session.messages())},
                 {"mtrk", number(session.folded())},
                 {"untrackable", number(session.dropped())},
                 {"refused", number(session.refused())},
                 {"repaired", number(session.repaired())},
                 {"why", session.why().empty() ? "-" : session.why()},
                 {"end", session.end()}});
}

net::Awaitable<void> GateServer::serve_outbound(net::Socket socket,
                                                net::Tcp::endpoint peer,
                                                GateLimiter::Place place) {
  const std::shared_ptr<const Settings> settings = settings_;
  const Settings::Outbound& outbound = settings->outbound;
  GateConnection::Outbound behind;
  std::unique_ptr<smtp::GateOnwardSession> session;
  if (outbound.routes) {
    auto routed = std::make_unique<smtp::GateRoutedSession>(
        smtp::ProxySession::Settings{settings->hostname, outbound.tls, true}, outbound.routes);
    behind.routed = routed.get();
    session = std::move(routed);
  } else {
    session = std::make_unique<smtp::GateOutboundSession>(smtp::ProxySession::Settings{
        settings->hostname, outbound.tls, false, outbound.next_hop.lmtp});
  }
  behind.session = session.get();
  behind.look_up = [look_up = look_up_](const auto& transaction) {
    return look_up->look_up(transaction);
  };
  {
    GateConnection connection(
        std::move(socket), std::move(place), settings,
        {outbound.next_hop.at, outbound.next_hop.path, settings->client_tls(outbound.tls)},
        *resolver_, connections_);
    co_await connection.run(*session, behind);
  }
  log::info("", {{"mta", peer.address().to_string()},
                 {"next_hop", describe(outbound)},
                 {"tls", session->upstream_tls() ? "yes" : "no"},
                 {"messages", number(session->messages())},
                 {"mtrk", number(session->passed_on())},
                 {"end", session->end()}});
}

}  // namespace mtrk::gate

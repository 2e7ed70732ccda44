#pragma once

#include "common/net/asio.h"
#include "milter/gate/connection.h"
#include "milter/gate/limiter.h"
#include "milter/gate/look_up.h"
#include "milter/gate/settings.h"

#include <list>
#include <memory>
#include <vector>

namespace mtrk::gate {

// A GateServer listens, admits clients, and gives each a session. Everything runs on one thread.
class GateServer {
 public:
  struct Addresses {
    std::vector<net::Tcp::endpoint> inbound;
    std::vector<net::Tcp::endpoint> outbound;
  };
  // Binds the addresses. Throws std::system_error.
  GateServer(const Addresses& addresses, std::shared_ptr<const Settings> settings);
  GateServer(const GateServer&) = delete;
  GateServer& operator=(const GateServer&) = delete;

  [[nodiscard]] net::asio::io_context& context() { return context_; }  // for the caller to run
  void start();
  void apply(std::shared_ptr<const Settings> settings) { settings_ = std::move(settings); }
  // Accepts nothing new; sessions end when their message is done.
  void drain();
  // Ends the sessions that are left.
  void end() { connections_.end(); }
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  [[nodiscard]] const Addresses& addresses() const { return addresses_; }

 private:
  enum class Side { inbound, outbound };
  struct Listener {
    net::Acceptor acceptor;
    Side side;
  };
  void listen(const net::Tcp::endpoint& endpoint, Side side);
  [[nodiscard]] net::Awaitable<void> accept_all(Listener& listener);
  [[nodiscard]] net::Awaitable<void> sweep();
  void admit(net::Socket socket, Side side);
  [[nodiscard]] net::Awaitable<void> serve_inbound(net::Socket socket,
                                                   net::Tcp::endpoint peer,
                                                   GateLimiter::Place place);
  [[nodiscard]] net::Awaitable<void> serve_outbound(net::Socket socket,
                                                    net::Tcp::endpoint peer,
                                                    GateLimiter::Place place);
  [[nodiscard]] net::Awaitable<smtp::ClientIdentity> identify(const net::Socket& socket,
                                                              const net::Tcp::endpoint& peer,
                                                              bool with_name);

  // The destructor of `context_` ends suspended coroutines, and with them connections. So what they
  // refer to is declared before it, and what refers to it after it.
  std::shared_ptr<const Settings> settings_;
  GateLimiter inbound_limiter_;
  GateLimiter outbound_limiter_;
  GateConnections connections_;
  std::unique_ptr<net::Resolver> resolver_;
  std::shared_ptr<GateLookUp> look_up_;
  Addresses addresses_;
  bool draining_ = false;
  net::asio::io_context context_{1};
  std::list<Listener> listeners_;
  net::Timer sweep_timer_{context_};
};

}  // namespace mtrk::gate

#pragma once

#include "common/net/resolver.h"
#include "common/net/transport.h"
#include "milter/gate/limiter.h"
#include "milter/gate/session/onward.h"
#include "milter/gate/session/proxy_session.h"
#include "milter/gate/session/routed.h"
#include "milter/gate/settings.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

namespace mtrk::gate {

class GateConnection;

// GateConnections knows the connections of the process, for what concerns all of them: deadlines
// and draining. It does not own them, and is not thread-safe.
class GateConnections {
 public:
  void sweep(net::Clock::time_point now);
  // Ends the connections that are between two messages at once, the others after their message.
  void drain();
  void end();  // ends all of them
  [[nodiscard]] std::size_t size() const { return connections_.size(); }
  [[nodiscard]] bool empty() const { return connections_.empty(); }

 private:
  friend class GateConnection;
  std::unordered_set<GateConnection*> connections_;
};

// Serves one client and the server after the gate ("upstream"). This is the thin shell round a
// ProxySession: one coroutine for each side reads, feeds the session, and sends what the session
// has for either side. If a side does not take its octets, the other side is not read.
class GateConnection {
 public:
  using LookUp = std::function<net::Awaitable<smtp::GateOnwardSession::Answer>(
      const smtp::GateOnwardSession::Transaction&)>;
  // Outbound is what an outbound session needs besides; `session` is the ProxySession itself. All
  // members are null for an inbound one.
  struct Outbound {
    smtp::GateOnwardSession* session = nullptr;
    smtp::GateRoutedSession* routed = nullptr;  // null: the next hop is Server
    LookUp look_up;
  };
  struct Server {
    HostPort at;
    std::string path;                                // of a unix socket, used instead of `at`
    std::shared_ptr<boost::asio::ssl::context> tls;  // null unless TLS is to be used
  };

  GateConnection(net::Socket client,
                 GateLimiter::Place place,
                 std::shared_ptr<const Settings> settings,
                 Server server,
                 net::Resolver& resolver,
                 GateConnections& connections);
  ~GateConnection();
  GateConnection(const GateConnection&) = delete;
  GateConnection& operator=(const GateConnection&) = delete;

  // Returns when both sides are closed.
  [[nodiscard]] net::Awaitable<void> run(smtp::ProxySession& session, Outbound outbound);

 private:
  friend class GateConnections;
  static constexpr std::size_t kPiece = std::size_t{16} * 1024;
  // While more octets than this are unsent, nothing is read.
  static constexpr std::size_t kWindow = std::size_t{64} * 1024;

  // A Signal lets one coroutine wait for something that another brings about.
  struct Signal {
    explicit Signal(const net::Executor& executor) : timer(executor) {
      timer.expires_at(net::Clock::time_point::max());
    }
    [[nodiscard]] net::Awaitable<void> wait();
    void notify() {
      if (awaited) {
        timer.cancel();
      }
    }
    net::Timer timer;
    bool awaited = false;
  };
  // Outgoing holds octets that are on their way to one side.
  struct Outgoing {
    std::string octets;
    bool busy = false;
  };

  [[nodiscard]] net::Awaitable<bool> perform(smtp::ProxySession::Effect effect);
  [[nodiscard]] net::Awaitable<void> read_client();
  [[nodiscard]] net::Awaitable<void> handshake_client();
  [[nodiscard]] net::Awaitable<void> linger();

  [[nodiscard]] net::Awaitable<void> start_upstream();
  [[nodiscard]] net::Awaitable<void> stop_upstream();
  [[nodiscard]] net::Awaitable<void> serve_upstream();
  [[nodiscard]] net::Awaitable<void> choose_next_hop();
  struct Destination {
    std::string name;  // for people
    net::Endpoints endpoints;
    std::string trouble;  // why there are no endpoints
  };
  [[nodiscard]] net::Awaitable<Destination> destination();
  [[nodiscard]] net::Awaitable<bool> connect();
  [[nodiscard]] bool connect_to_path();
  [[nodiscard]] net::Awaitable<bool> handshake_upstream();

  // Return true if nothing is left for send_all(). That is nearly always so, and costs no
  // coroutine.
  [[nodiscard]] bool send_now();
  [[nodiscard]] bool send_now(net::Transport* to, std::string& from, const Outgoing& state);
  [[nodiscard]] net::Awaitable<void> send_all();
  [[nodiscard]] net::Awaitable<void> send(net::Transport* to, std::string& from, Outgoing& state);
  void leave_if_idle();
  void leave();  // says 421, then closes
  void wake();
  void log_notes() const;
  void watch_gathering();
  void allow(std::chrono::milliseconds time);
  // Allows as much time as the state of the session asks for.
  void allow_next();
  void on_deadline();

  net::Transport client_;
  GateLimiter::Place place_;
  std::shared_ptr<const Settings> settings_;
  Server server_;
  net::Resolver& resolver_;
  GateConnections& connections_;
  net::Executor executor_;

  smtp::ProxySession* session_ = nullptr;
  Outbound outbound_;

  std::unique_ptr<net::Transport> upstream_;
  bool upstream_runs_ = false;
  bool upstream_abandoned_ = false;
  bool reading_client_ = false;
  bool draining_ = false;
  Outgoing to_client_;
  Outgoing to_upstream_;
  Signal client_signal_;
  Signal upstream_signal_;
  net::Timer gather_timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  net::Clock::time_point deadline_;
  net::Clock::time_point no_place_after_{};
  std::array<char, kPiece> from_client_{};
  std::array<char, kPiece> from_upstream_{};
};

}  // namespace mtrk::gate

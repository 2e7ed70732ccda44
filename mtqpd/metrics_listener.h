#pragma once

#include "common/net/asio.h"

#include <functional>
#include <string>

namespace mtrk::mtqpd {

// Answers HTTP requests for /metrics on one address: one request a connection, four connections at
// a time, each for five seconds at most. Whoever wants more waits in the kernel.
class MetricsListener {
 public:
  using Content = std::function<std::string()>;

  // Fails: std::system_error naming the address. `content` is called on the context's thread.
  MetricsListener(net::asio::io_context& context, const net::Tcp::endpoint& at, Content content);

  void start();
  [[nodiscard]] net::Tcp::endpoint address() const;

 private:
  [[nodiscard]] net::Awaitable<void> accept_all();
  [[nodiscard]] net::Awaitable<void> serve(net::Socket socket);

  net::asio::io_context& context_;
  net::Acceptor acceptor_;
  Content content_;
};

}  // namespace mtrk::mtqpd

#pragma once

#include "common/net/asio.h"

#include <functional>
#include <list>
#include <memory>
#include <string>

namespace mtrk::mtqpd {

// Answers HTTP requests for /metrics on one address. Each connection serves one request and lasts
// five seconds at most. Every connection is accepted at once; if there are too many, the oldest
// open one is ended. So clients that connect and send nothing cannot keep a scraper waiting, which
// sends its request as soon as it is connected.
class MetricsListener {
 public:
  using Content = std::function<std::string()>;

  // Throws std::system_error, which names the address. `content` is called on the context's thread.
  MetricsListener(net::asio::io_context& context, const net::Tcp::endpoint& at, Content content);

  void start();
  [[nodiscard]] net::Tcp::endpoint address() const;

 private:
  [[nodiscard]] net::Awaitable<void> accept_all();
  [[nodiscard]] net::Awaitable<void> serve(std::shared_ptr<net::Socket> socket);

  net::asio::io_context& context_;
  net::Acceptor acceptor_;
  Content content_;
  std::list<std::shared_ptr<net::Socket>> open_;  // the oldest first
};

}  // namespace mtrk::mtqpd

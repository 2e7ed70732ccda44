#pragma once

#include "common/net/asio.h"

#include <functional>
#include <list>
#include <memory>
#include <string>

namespace mtrk::mtqpd {

// Answers HTTP requests for /metrics on one address: one request a connection, each for five
// seconds at most. Every connection is taken at once; one too many ends the oldest that is still
// open. So nobody who connects and says nothing, however often, keeps a scraper waiting, who asks
// as soon as it is connected.
class MetricsListener {
 public:
  using Content = std::function<std::string()>;

  // Fails: std::system_error naming the address. `content` is called on the context's thread.
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

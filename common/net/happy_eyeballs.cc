#include "common/net/happy_eyeballs.h"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <list>
#include <memory>
#include <optional>
#include <utility>

namespace mtrk::net {
namespace {

// A Race holds the attempts in progress. It is shared with their handlers, which may run after the
// coroutine has ended.
class Race : public std::enable_shared_from_this<Race> {
 public:
  explicit Race(const Executor& executor) : executor_(executor), wake_(executor) {}

  void begin(const Tcp::endpoint& endpoint) {
    ++running_;
    const auto socket = sockets_.emplace(sockets_.end(), executor_);
    socket->async_connect(endpoint,
                          [self = shared_from_this(), socket, endpoint](const error_code& error) {
                            self->end(std::move(*socket), endpoint, error);
                          });
  }

  // Waits until `at`, or until an attempt has ended.
  Awaitable<void> wait(Clock::time_point at) {
    wake_.expires_at(at);
    static_cast<void>(co_await wake_.async_wait(kAwait));
  }

  void give_up() {
    over_ = true;
    for (Socket& socket : sockets_) {
      error_code ignored;
      socket.close(ignored);
    }
  }

  [[nodiscard]] std::size_t running() const { return running_; }
  [[nodiscard]] const error_code& last_error() const { return last_error_; }
  [[nodiscard]] std::optional<Connected>& winner() { return winner_; }

 private:
  void end(Socket socket, const Tcp::endpoint& endpoint, const error_code& error) {
    --running_;
    if (over_) {
      return;
    }
    if (error) {
      last_error_ = error;
    } else if (!winner_) {
      winner_.emplace(Connected{std::move(socket), endpoint});
    }
    wake_.cancel();
  }

  Executor executor_;
  Timer wake_;
  std::list<Socket> sockets_;
  std::size_t running_ = 0;
  bool over_ = false;
  error_code last_error_ = asio::error::host_not_found;
  std::optional<Connected> winner_;
};

struct EndOfRace {
  explicit EndOfRace(std::shared_ptr<Race> race) : race_(std::move(race)) {}
  EndOfRace(const EndOfRace&) = delete;
  EndOfRace& operator=(const EndOfRace&) = delete;
  ~EndOfRace() { race_->give_up(); }

 private:
  std::shared_ptr<Race> race_;
};

}  // namespace

Awaitable<tl::expected<Connected, error_code>> connect_first(std::vector<Tcp::endpoint> endpoints,
                                                             Clock::time_point end,
                                                             Clock::duration delay) {
  const auto race = std::make_shared<Race>(co_await asio::this_coro::executor);
  const EndOfRace at_end(race);
  auto next = endpoints.begin();
  while (!race->winner()) {
    const Clock::time_point now = Clock::now();
    if (now >= end) {
      co_return tl::make_unexpected(error_code(asio::error::timed_out));
    }
    if (next == endpoints.end() && race->running() == 0) {
      co_return tl::make_unexpected(race->last_error());
    }
    if (next != endpoints.end()) {
      race->begin(*next++);
    }
    co_await race->wait(next == endpoints.end() ? end : std::min(end, now + delay));
  }
  co_return std::move(*race->winner());
}

}  // namespace mtrk::net

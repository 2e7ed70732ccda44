#include "common/net/happy_eyeballs.h"

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <list>
#include <optional>

namespace mtrk::net {
namespace {

using std::chrono::milliseconds;

// Takes connections, but nobody looks at them: the kernel completes them.
class Listener {
 public:
  Listener() : acceptor_(io_.get_executor(), {asio::ip::address_v4::loopback(), 0}) {}
  [[nodiscard]] Tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

 private:
  asio::io_context io_;
  Acceptor acceptor_;
};

// A place where the first packet is dropped: the queue of connections not yet accepted is full.
class BlackHole {
 public:
  BlackHole() : acceptor_(io_.get_executor()) {
    acceptor_.open(Tcp::v4());
    acceptor_.bind({asio::ip::address_v4::loopback(), 0});
    acceptor_.listen(0);
    for (int i = 0; i < 4; ++i) {
      Socket& socket = clients_.emplace_back(io_.get_executor());
      socket.open(Tcp::v4());
      socket.async_connect(acceptor_.local_endpoint(), [](const error_code&) {});
    }
    io_.poll();
  }
  [[nodiscard]] Tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

 private:
  asio::io_context io_;
  Acceptor acceptor_;
  std::list<Socket> clients_;
};

Tcp::endpoint nobody() {
  return Listener().endpoint();  // closed again
}

struct Result {
  std::optional<Tcp::endpoint> endpoint;
  error_code error;
  Clock::duration took{};
};
Awaitable<Result> race(std::vector<Tcp::endpoint> endpoints,
                       Clock::duration limit,
                       Clock::duration delay) {
  const auto begin = Clock::now();
  const auto outcome = co_await connect_first(std::move(endpoints), begin + limit, delay);
  Result result;
  if (outcome) {
    result.endpoint = outcome->endpoint;
    EXPECT_TRUE(outcome->socket.is_open());
  } else {
    result.error = outcome.error();
  }
  result.took = Clock::now() - begin;
  co_return result;
}
Result connect(std::vector<Tcp::endpoint> endpoints,
               Clock::duration limit = std::chrono::seconds(10),
               Clock::duration delay = milliseconds(30)) {
  asio::io_context io(1);
  Result result;
  asio::co_spawn(io, race(std::move(endpoints), limit, delay),
                 [&](std::exception_ptr error, const Result& value) {
                   ASSERT_FALSE(error);
                   result = value;
                 });
  io.run();
  return result;
}

TEST(ConnectFirstTest, TheFirstThatAnswersIsTaken) {
  const Listener first;
  const Listener second;
  EXPECT_EQ(connect({first.endpoint(), second.endpoint()}).endpoint, first.endpoint());
}

TEST(ConnectFirstTest, ARefusalMovesOnAtOnce) {  // SRV-02
  const Listener second;
  const Result result =
      connect({nobody(), second.endpoint()}, std::chrono::seconds(20), std::chrono::seconds(15));
  EXPECT_EQ(result.endpoint, second.endpoint());
  EXPECT_LT(result.took, std::chrono::seconds(10));
}

TEST(ConnectFirstTest, SilenceIsOvertaken) {  // RFC 8305 §5
  const BlackHole silent;
  const Listener second;
  const Result result = connect({silent.endpoint(), second.endpoint()});
  EXPECT_EQ(result.endpoint, second.endpoint());
  EXPECT_GE(result.took, milliseconds(30));
}

TEST(ConnectFirstTest, EndsWhenAllHaveFailed) {
  EXPECT_EQ(connect({nobody(), nobody()}).error, asio::error::connection_refused);
  EXPECT_EQ(connect({}).error, asio::error::host_not_found);
}

TEST(ConnectFirstTest, EndsWhenTheTimeIsOver) {
  const BlackHole silent;
  const Result result = connect({silent.endpoint()}, milliseconds(100));
  EXPECT_EQ(result.error, asio::error::timed_out);
  EXPECT_GE(result.took, milliseconds(100));
}

}  // namespace
}  // namespace mtrk::net

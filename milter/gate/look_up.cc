#include "milter/gate/look_up.h"

#include "common/base/log.h"
#include "common/net/unix_socket.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <array>
#include <utility>

namespace mtrk::gate {
namespace {

namespace asio = net::asio;
using std::chrono::milliseconds;
using Kind = OnwardVerdict::Kind;

constexpr milliseconds kAskAgain{20};  // until the log has said more
constexpr milliseconds kKnock{20};     // while the milter may be starting
constexpr milliseconds kMost{1'500};   // longer than the milter ever wants to be asked again
constexpr std::size_t kMostAsked = 4096;
constexpr std::size_t kPiece = std::size_t{16} * 1024;

constexpr char kNoAnswer[] = "no answer in time";
constexpr char kNonsense[] = "it answers what was not asked";

}  // namespace

// If a connection has ended by itself, its milter may be restarting.
net::Awaitable<void> GateLookUp::keep() {
  net::Timer pause(co_await asio::this_coro::executor);
  net::Clock::time_point patience = net::Clock::now() + timing_.answer;
  for (;;) {
    const std::string why = co_await serve();
    const net::Clock::time_point now = net::Clock::now();
    if (state_ == State::up && now - up_since_ >= timing_.proven && why.empty()) {
      patience = now + timing_.answer;
    }
    if (state_ != State::away && now < patience) {
      become(State::opening);
      pause.expires_after(kKnock);
    } else {
      go_away(why.empty() ? "it closed the connection" : why);
      pause.expires_after(timing_.again);
    }
    co_await pause.async_wait(net::kAwait);
  }
}

// Serves one connection until it is of no use any more. Returns why, or nothing if it just ended.
net::Awaitable<std::string> GateLookUp::serve() {
  const net::Executor executor = co_await asio::this_coro::executor;
  auto connected = net::connect_unix(executor, path_);
  if (!connected) {
    co_return fmt::format("cannot connect to {}: {}", path_, connected.error().message());
  }
  const auto link = std::make_shared<Link>(*std::move(connected));
  link_ = link;
  const auto hello = std::make_shared<Waiting>(executor);
  hello->number = ++number_;
  link->asked.push_back(hello);
  static_cast<void>(onward_wire::put_question(link->out, {hello->number, milliseconds(0), {}}));
  flush(link);
  hello->timer.expires_after(timing_.answer);
  hello->timer.async_wait([link, hello](const net::error_code& early) {
    if (!early && !link->asked.empty() && link->asked.front() == hello) {
      break_off(*link, kNoAnswer);
    }
  });
  std::array<char, kPiece> piece{};
  while (link->broken.empty()) {
    const auto [error, size] =
        co_await link->socket.async_read_some(asio::buffer(piece), net::kAwait);
    if (error) {
      break;
    }
    link->in.append(piece.data(), size);
    if (!take_answers(*link)) {
      break_off(*link, kNonsense);
    } else if (state_ != State::up && (link->asked.empty() || link->asked.front() != hello)) {
      come_back();
    }
  }
  hello->timer.cancel();
  const std::string why(link->broken);
  break_off(*link, "the connection has ended");
  co_return why;
}

// Returns false if there is anything but the answer to the oldest question.
bool GateLookUp::take_answers(Link& link) {
  std::string_view rest = link.in;
  for (;;) {
    const auto frame = onward_wire::take_frame(rest);
    if (!frame) {
      return false;
    }
    if (!*frame) {
      break;
    }
    Expected<onward_wire::Answer> answer = onward_wire::decode_answer(**frame);
    if (!answer || link.asked.empty() || link.asked.front()->number != answer->number) {
      return false;
    }
    const std::shared_ptr<Waiting> waiting = std::move(link.asked.front());
    link.asked.pop_front();
    waiting->verdict = std::move(answer->verdict);
    waiting->timer.cancel();
  }
  link.in.erase(0, link.in.size() - rest.size());
  return true;
}

void GateLookUp::flush(const std::shared_ptr<Link>& link) {
  if (link->sending || link->out.empty()) {
    return;
  }
  link->sending = true;
  link->under_way.swap(link->out);
  asio::async_write(link->socket, asio::buffer(link->under_way),
                    [link](const net::error_code& error, std::size_t) {
                      link->sending = false;
                      link->under_way.clear();
                      if (!error) {  // after an error, serve() sees the same
                        flush(link);
                      }
                    });
}

// The coroutines that wait for an answer get none.
void GateLookUp::break_off(Link& link, std::string_view why) {
  if (link.broken.empty()) {
    link.broken = why;
  }
  net::error_code ignored;
  link.socket.close(ignored);
  for (const std::shared_ptr<Waiting>& one : std::exchange(link.asked, {})) {
    one->timer.cancel();
  }
}

void GateLookUp::become(State state) {
  state_ = state;
  if (state != State::opening) {
    for (const std::weak_ptr<Waiting>& one : std::exchange(opening_, {})) {
      if (const std::shared_ptr<Waiting> waiting = one.lock()) {
        waiting->timer.cancel();
      }
    }
  }
}

void GateLookUp::go_away(std::string_view why) {
  become(State::away);
  if (!std::exchange(said_away_, true)) {
    log::warning("",
                 {{"mtrk-milter", "does not answer, mail goes on without MTRK"}, {"reason", why}});
  }
}

void GateLookUp::come_back() {
  up_since_ = net::Clock::now();
  become(State::up);
  if (std::exchange(said_away_, false)) {
    log::notice("", {{"mtrk-milter", "answers again"}});
  }
}

void GateLookUp::note_store(bool readable) {
  if (std::exchange(said_unreadable_, !readable) == !readable) {
    return;
  }
  readable
      ? log::notice("", {{"mtrk-milter", "reads its store again"}})
      : log::warning("", {{"mtrk-milter", "cannot read its store, mail goes on without MTRK"}});
}

// Returns nothing if there is no answer.
net::Awaitable<std::optional<OnwardVerdict>> GateLookUp::ask(OnwardTransaction transaction,
                                                             milliseconds waited) {
  const auto waiting = std::make_shared<Waiting>(co_await asio::this_coro::executor);
  const net::Clock::time_point deadline = net::Clock::now() + timing_.answer;
  if (state_ == State::opening && opening_.size() < kMostAsked) {
    opening_.push_back(waiting);
    waiting->timer.expires_at(deadline);
    co_await waiting->timer.async_wait(net::kAwait);
  }
  const std::shared_ptr<Link> link = link_.lock();
  if (state_ != State::up || !link || !link->broken.empty() || link->asked.size() >= kMostAsked) {
    co_return std::nullopt;
  }
  waiting->number = ++number_;
  if (!onward_wire::put_question(link->out, {waiting->number, waited, std::move(transaction)})) {
    co_return std::nullopt;
  }
  link->asked.push_back(waiting);
  flush(link);
  waiting->timer.expires_at(deadline);
  const auto [answered] = co_await waiting->timer.async_wait(net::kAwait);
  if (!answered && !waiting->verdict) {
    break_off(*link, kNoAnswer);
  }
  co_return std::move(waiting->verdict);
}

net::Awaitable<smtp::GateOnwardSession::Answer> GateLookUp::look_up(
    smtp::GateOnwardSession::Transaction transaction) {
  using Answer = smtp::GateOnwardSession::Answer;
  net::Timer pause(co_await asio::this_coro::executor);
  const net::Clock::time_point begin = net::Clock::now();
  for (;;) {
    const auto waited = std::chrono::duration_cast<milliseconds>(net::Clock::now() - begin);
    std::optional<OnwardVerdict> verdict;
    if (waited < kMost) {
      verdict = co_await ask(transaction, waited);
    }
    if (!verdict) {
      co_return Answer{};
    }
    note_store(verdict->kind != Kind::unavailable);
    switch (verdict->kind) {
      case Kind::unknown:  // most mail by far
      case Kind::unavailable:
        co_return Answer{};
      case Kind::pass_on:
        if (!transaction.takes_mtrk) {
          co_return Answer{};
        }
        co_return Answer{smtp::Onward{std::move(verdict->envid), *verdict->mtrk}, false,
                         std::move(verdict->queue_id)};
      case Kind::withhold:
        log::info(verdict->queue_id, {{"mtrk", "withheld"}, {"reason", to_string(verdict->why)}});
        co_return Answer{std::nullopt, verdict->why == OnwardVerdict::Why::mailing_list, {}};
      case Kind::ask_again:
        pause.expires_after(kAskAgain);
        co_await pause.async_wait(net::kAwait);
        break;
    }
  }
}

}  // namespace mtrk::gate

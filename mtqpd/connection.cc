#include "mtqpd/connection.h"

#include "common/base/log.h"

#include <boost/asio/buffer.hpp>
#include <fmt/format.h>

#include <utility>

namespace mtrk::mtqpd {
namespace {

namespace asio = net::asio;
using LookUpResult = mtqp::ServerSession::LookUpResult;

constexpr std::size_t kKeptCapacity = 1024;  // an idle connection keeps no more output
constexpr std::size_t kSpareCapacity = 256 * std::size_t{1024};
constexpr std::size_t kMaxDiscarded = 256 * std::size_t{1024};  // input after our last word

// Reports are built here; one thread answers one query at a time.
std::string& report_buffer() {
  thread_local std::string buffer;
  return buffer;
}

// Room for output, lent to the connection that is being served and given back before it waits:
// connections that say little hold little, and those that ask much do not allocate for each answer.
std::string& spare_output() {
  thread_local std::string buffer;
  return buffer;
}

const char* to_text(mtqp::Close::Why why) {
  switch (why) {
    case mtqp::Close::Why::quit:
      return "quit";
    case mtqp::Close::Why::bad_input:
      return "too many errors";
    case mtqp::Close::Why::input_behind_tls:
      return "input behind STARTTLS";
    case mtqp::Close::Why::over:
      break;
  }
  return "closed";
}

}  // namespace

void ConnectionSet::sweep(net::Clock::time_point now) {
  for (Connection* connection : connections_) {
    if (now >= connection->deadline_) {
      connection->ended_by_ = connection->on_deadline_;
      connection->transport_.close();  // its coroutine wakes up with operation_aborted
    }
  }
}

void ConnectionSet::drain() {
  draining_ = true;
  for (Connection* connection : connections_) {
    if (connection->waits_for_input_) {
      connection->transport_.cancel();
    }
  }
}

Connection::Connection(net::Socket socket,
                       const net::Tcp::endpoint& peer,
                       AddressLimiter::Place place,
                       Starts starts,
                       std::shared_ptr<const Settings> settings,
                       const QueryService& queries,
                       ConnectionSet& set)
    : transport_(std::move(socket)),
      peer_(peer),
      place_(std::move(place)),
      starts_(starts),
      settings_(std::move(settings)),
      queries_(queries),
      set_(set),
      started_(net::Clock::now()) {
  allow(settings_->deadlines.idle, "idle");
  set_.connections_.insert(this);
}

Connection::~Connection() {
  set_.connections_.erase(this);
  const auto seconds = std::chrono::duration<double>(net::Clock::now() - started_);
  // Scanners and health checks, which say nothing, are not worth a line in production.
  const log::Level level = commands_ == 0 ? log::Level::debug : log::Level::info;
  log::write(level, "",
             {{"client", peer_.address().to_string()},
              {"tls", transport_.is_tls() ? transport_.tls_version() : "no"},
              {"commands", fmt::format("{}", commands_)},
              {"found", fmt::format("{}", found_)},
              {"noinfo", fmt::format("{}", not_found_)},
              {"unavailable", fmt::format("{}", unavailable_)},
              {"seconds", fmt::format("{:.3f}", seconds.count())},
              {"end", ended_by_}});
}

net::Awaitable<void> Connection::run() {
  if (starts_ == Starts::with_tls && !co_await secure(&settings_->tls->first())) {
    co_return;
  }
  End end = co_await hold_session();
  if (end == End::start_tls) {
    if (!co_await secure(context_)) {
      co_return;
    }
    end = co_await hold_session();  // a new session object: nothing of the old one is left
  }
  if (end == End::closed) {
    co_await say_goodbye();
  }
}

net::Awaitable<Connection::End> Connection::hold_session() {
  mtqp::ServerSession session(make_policy());
  mtqp::LineBuffer lines;
  std::uint64_t taken = 0;
  bool in_a_line = false;
  session.greet(out_);
  for (;;) {
    const std::optional<End> end = answer_lines(session, lines);
    commands_ += session.commands() - taken;
    in_a_line = in_a_line && session.commands() == taken;
    taken = session.commands();
    const bool was_full = out_.size() >= mtqp::kMaxQueuedOutput;
    if (!co_await send()) {
      co_return End::lost;
    }
    if (end) {
      co_return *end;
    }
    if (was_full) {
      continue;  // lines may be left
    }
    if (set_.draining()) {
      ended_by_ = "shutdown";
      co_return End::closed;
    }
    release_memory(lines);
    if (!lines.line_started()) {
      allow(settings_->deadlines.idle, "idle");
    } else if (!std::exchange(in_a_line, true)) {
      allow(settings_->deadlines.started_line, "slow line");  // once, not with every octet
    }
    waits_for_input_ = true;
    const auto [error, length] = co_await transport_.read_some(asio::buffer(in_));
    waits_for_input_ = false;
    if (error) {
      // Idle, and the drain has cancelled the read.
      if (set_.draining() && transport_.socket().is_open()) {
        ended_by_ = "shutdown";
        co_return End::closed;
      }
      co_return End::lost;
    }
    lines.feed({in_.data(), length});
  }
}

std::optional<Connection::End> Connection::answer_lines(mtqp::ServerSession& session,
                                                        mtqp::LineBuffer& lines) {
  if (out_.empty()) {
    out_.swap(spare_output());
  }
  while (out_.size() < mtqp::kMaxQueuedOutput) {
    mtqp::Next next = session.advance(lines, out_);
    if (const auto* query = std::get_if<mtqp::LookUp>(&next)) {
      look_up(*query, session);
      continue;
    }
    if (const auto* check = std::get_if<mtqp::CheckDomain>(&next)) {
      const mtqp::DomainCheck result = check_domain(check->domain);
      next = session.answer_domain(result, lines, transport_.input_waiting(), out_);
      if (std::holds_alternative<mtqp::NeedInput>(next)) {
        continue;  // refused; the session goes on
      }
    }
    if (const auto* close = std::get_if<mtqp::Close>(&next)) {
      ended_by_ = to_text(close->why);
      return End::closed;
    }
    if (std::holds_alternative<mtqp::BeginTls>(next)) {
      return End::start_tls;
    }
    break;  // NeedInput
  }
  return std::nullopt;
}

void Connection::look_up(const mtqp::LookUp& query, mtqp::ServerSession& session) {
  std::string& report = report_buffer();
  LookUpResult result = LookUpResult::maintenance;
  if (!set_.draining()) {
    result = queries_.answer(query, settings_->confidentiality, wall_clock(), report);
  }
  switch (result) {
    case LookUpResult::found:
      ++found_;
      break;
    case LookUpResult::no_information:
      ++not_found_;
      break;
    case LookUpResult::unavailable:
    case LookUpResult::maintenance:
      ++unavailable_;
      break;
  }
  session.answer(result, report, out_);
}

mtqp::DomainCheck Connection::check_domain(std::string_view domain) {
  const net::ServerTls::Choice choice = settings_->tls->choose(domain, wall_clock());
  context_ = choice.context;
  switch (choice.match) {
    case net::ServerTls::Match::matches:
      return mtqp::DomainCheck::matches;
    case net::ServerTls::Match::no_match:
      return mtqp::DomainCheck::no_match;
    case net::ServerTls::Match::expired:
      return mtqp::DomainCheck::unavailable;
  }
  return mtqp::DomainCheck::unavailable;
}

mtqp::SessionPolicy Connection::make_policy() const {
  mtqp::SessionPolicy policy;
  policy.tls_active = transport_.is_tls();
  policy.tls_required_for = settings_->tls_required_for;
  if (settings_->tls) {
    policy.tls = settings_->tls_required_for->empty() ? mtqp::SessionPolicy::Tls::offered
                                                      : mtqp::SessionPolicy::Tls::required_for_some;
  }
  if (!queries_.available()) {
    policy.service = mtqp::SessionPolicy::Service::unavailable;
  }
  return policy;
}

net::Awaitable<bool> Connection::send() {
  std::size_t sent = 0;
  while (sent < out_.size()) {
    allow(settings_->deadlines.write_progress, "slow reader");
    const auto [error, length] =
        co_await transport_.write_some(asio::buffer(out_.data() + sent, out_.size() - sent));
    if (error) {
      co_return false;
    }
    sent += length;
  }
  out_.clear();
  co_return true;
}

net::Awaitable<bool> Connection::secure(boost::asio::ssl::context* context) {
  allow(settings_->deadlines.handshake, "slow handshake");
  waits_for_input_ = true;  // a drain need not wait for the rest of a handshake
  const net::error_code error = co_await transport_.accept_tls(*context);
  waits_for_input_ = false;
  if (error && transport_.socket().is_open()) {
    ended_by_ = "handshake failed";
  }
  co_return !error;
}

// A socket closed with input unread sends RST, which may overtake our last words: say that there
// is no more to come, then read until the peer has seen it.
net::Awaitable<void> Connection::say_goodbye() {
  allow(settings_->deadlines.closing, ended_by_);
  co_await transport_.shutdown_tls();
  net::error_code error;
  transport_.socket().shutdown(net::Socket::shutdown_send, error);
  for (std::size_t discarded = 0; !error && discarded < kMaxDiscarded;) {
    const auto [read_error, length] =
        co_await transport_.socket().async_read_some(asio::buffer(in_), net::kAwait);
    error = read_error;
    discarded += length;
  }
}

void Connection::allow(std::chrono::milliseconds time, const char* otherwise) {
  deadline_ = net::Clock::now() + time;
  on_deadline_ = otherwise;
}

void Connection::release_memory(mtqp::LineBuffer& lines) {
  lines.release_if_empty();
  std::string& spare = spare_output();
  if (out_.capacity() > spare.capacity() && out_.capacity() <= kSpareCapacity) {
    out_.swap(spare);
  }
  if (out_.capacity() > kKeptCapacity) {
    out_ = std::string();
  }
}

}  // namespace mtrk::mtqpd

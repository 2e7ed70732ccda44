#include "mtqpd/server/connection.h"

#include "common/base/log.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <fmt/format.h>

#include <utility>

namespace mtrk::mtqpd {
namespace {

namespace asio = net::asio;
using LookUpResult = mtqp::ServerSession::LookUpResult;

constexpr std::size_t kKeptCapacity = 1024;  // an idle connection keeps no more room for output
constexpr std::size_t kSpareCapacity = 256 * std::size_t{1024};
constexpr std::string_view kEvicted = "-TEMP/unavailable idle, and the server is full\r\n";
constexpr std::size_t kMaxDiscarded = 256 * std::size_t{1024};  // input after our last octets

// Reports are built in this buffer; a thread answers one query at a time.
std::string& report_buffer() {
  thread_local std::string buffer;
  return buffer;
}

// Returns room for output, which is lent to the connection that is being served and given back
// before that connection waits. So connections that say little hold little memory, and those that
// ask much do not allocate for each answer.
std::string& spare_output() {
  thread_local std::string buffer;
  return buffer;
}

// Returns what the log calls the result of a query.
const char* to_text(LookUpResult result) {
  switch (result) {
    case LookUpResult::found:
      return "found";
    case LookUpResult::no_information:
      return "noinfo";
    case LookUpResult::unavailable:
      return "unavailable";
    case LookUpResult::maintenance:
      return "admin";
  }
  return "";
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
  in_set_ = set_.add(*this);
  set_.counters().add(ServerCounters::connections);
}

Connection::~Connection() {
  set_.remove(in_set_);
  if (offended_) {
    place_.offend(net::Clock::now());
  }
  // Scanners and health checks, which send no command, are not worth a line in production.
  const log::Level level = commands_ == 0 ? log::Level::debug : log::Level::info;
  if (level == log::Level::info && !set_.log_budget().take()) {
    return;
  }
  const auto seconds = std::chrono::duration<double>(net::Clock::now() - started_);
  log::write(level, "",
             {{"client", peer_.address().to_string()},
              {"tls", transport_.is_tls() ? transport_.tls_version() : "no"},
              {"commands", fmt::format("{}", commands_)},
              {"found", fmt::format("{}", found_)},
              {"noinfo", fmt::format("{}", not_found_)},
              {"unavailable", fmt::format("{}", unavailable_)},
              {"throttled", fmt::format("{}", throttled_)},
              {"seconds", fmt::format("{:.3f}", seconds.count())},
              {"end", ended_by_}});
}

void Connection::end_late() {
  ended_by_ = on_deadline_;
  offended_ = offended_ || late_ == Late::offence;
  set_.counters().add(ServerCounters::timed_out);
  deadline_ = net::Clock::time_point::max();
  transport_.close();
}

void Connection::interrupt() {
  if (waits_for_input_) {
    transport_.cancel();
  } else if (end_chain_ != nullptr) {
    end_chain_->emit(asio::cancellation_type::terminal);
  }
}

bool Connection::evict() {
  if (!waits_for_input_ || evicted_) {
    return false;
  }
  evicted_ = true;
  set_.counters().add(ServerCounters::evicted);
  transport_.cancel();
  return true;
}

net::Awaitable<void> Connection::run() {
  if (starts_ == Starts::with_tls && !co_await secure(&settings_->tls->implicit())) {
    co_return;
  }
  End end = co_await hold_session();
  if (end == End::start_tls) {
    if (!co_await secure(context_)) {
      co_return;
    }
    // The session object is new, so that nothing of the old one is left.
    end = co_await hold_session();
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
    set_.counters().add(ServerCounters::commands, session.commands() - taken);
    in_a_line = in_a_line && session.commands() == taken;
    taken = session.commands();
    const bool was_full = out_.size() >= mtqp::kMaxQueuedOutput;
    if (!co_await send()) {
      co_return End::lost;
    }
    if (chain_) {
      release_memory(lines);
      co_await answer_chained(session);
      continue;  // with the lines after it
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
      // This is done once for a line, and not for every octet.
      allow(settings_->deadlines.started_line, "slow line", Late::offence);
    }
    waits_for_input_ = true;
    const auto [error, length] = co_await transport_.read_some(asio::buffer(in_));
    waits_for_input_ = false;
    if (error) {
      co_return end_of_input();
    }
    evicted_ = false;  // input came at the same time as the eviction
    set_.touch(in_set_);
    lines.feed({in_.data(), length});
  }
}

// The read failed because the client has gone, or because the drain or an eviction has cancelled
// it.
Connection::End Connection::end_of_input() {
  if (!transport_.socket().is_open() || (!set_.draining() && !evicted_)) {
    return End::lost;
  }
  ended_by_ = "shutdown";
  if (!set_.draining()) {
    ended_by_ = "evicted";
    out_ = kEvicted;
  }
  return End::closed;
}

std::optional<Connection::End> Connection::answer_lines(mtqp::ServerSession& session,
                                                        mtqp::LineBuffer& lines) {
  if (out_.empty()) {
    out_.swap(spare_output());
  }
  QueryService::Batch batch(queries_);
  while (out_.size() < mtqp::kMaxQueuedOutput) {
    mtqp::Next next = session.advance(lines, out_);
    if (auto* query = std::get_if<mtqp::LookUp>(&next)) {
      look_up(*query, batch, session);
      if (chain_) {
        // What was answered before can be sent; the lines after it have to wait.
        return std::nullopt;
      }
      continue;
    }
    if (const auto* check = std::get_if<mtqp::CheckDomain>(&next)) {
      const mtqp::DomainCheck result = check_domain(check->domain);
      next = session.answer_domain(result, lines, transport_.input_waiting(), out_);
      if (std::holds_alternative<mtqp::NeedInput>(next)) {
        continue;  // STARTTLS was refused; the session goes on
      }
    }
    if (const auto* close = std::get_if<mtqp::Close>(&next)) {
      ended_by_ = to_text(close->why);
      if (close->why != mtqp::Close::Why::quit && close->why != mtqp::Close::Why::over) {
        offended_ = true;
        set_.counters().add(ServerCounters::misbehaved);
      }
      return End::closed;
    }
    if (std::holds_alternative<mtqp::BeginTls>(next)) {
      return End::start_tls;
    }
    break;  // NeedInput
  }
  return std::nullopt;
}

void Connection::look_up(mtqp::LookUp& query,
                         QueryService::Batch& batch,
                         mtqp::ServerSession& session) {
  std::string& report = report_buffer();
  if (!place_.may_ask(settings_->limits.misses_per_minute)) {
    ++throttled_;
    set_.counters().add(ServerCounters::throttled);
    session.answer(LookUpResult::unavailable, report, out_);
    return;
  }
  LookUpResult result = LookUpResult::maintenance;
  std::uint32_t tag = 0;
  if (!set_.draining()) {
    result = batch.answer(query, settings_->confidentiality, wall_clock(), report, &tag);
  }
  count_answer(result);
  if (settings_->log_queries) {
    log_query(to_text(result), tag);
  }
  if (settings_->chaining && result == LookUpResult::found) {  // never for a miss (THR-O4)
    chain_tag_ = tag;
    chain_ = plan_chain(query, batch, report);
    if (chain_) {
      return;
    }
  }
  session.answer(result, report, out_);
}

void Connection::count_answer(LookUpResult result) {
  switch (result) {
    case LookUpResult::found:
      ++found_;
      set_.counters().add(ServerCounters::found);
      return;
    case LookUpResult::no_information:
      ++not_found_;
      set_.counters().add(ServerCounters::no_information);
      place_.miss(settings_->limits.misses_per_minute, net::Clock::now());
      return;
    case LookUpResult::unavailable:
    case LookUpResult::maintenance:
      ++unavailable_;
      set_.counters().add(ServerCounters::unavailable);
      return;
  }
}

void Connection::log_query(const char* result, std::uint32_t tag) {
  if (set_.log_budget().take()) {
    log::info(fmt::format("{:08x}", tag), {{"track", result},
                                           {"client", peer_.address().to_string()},
                                           {"tls", transport_.is_tls() ? "yes" : "no"}});
  }
}

mtqp::DomainCheck Connection::check_domain(std::string_view domain) {
  const net::ServerTls::Choice choice = settings_->tls->choose(domain, wall_clock());
  context_ = choice.context;
  switch (choice.match) {
    case net::ServerTls::Match::matches:
      handshake_ = place_.begin_handshake(settings_->limits);
      return handshake_ ? mtqp::DomainCheck::matches : mtqp::DomainCheck::unavailable;
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
  policy.tls_insufficient = policy.tls_active && transport_.tls_version() < settings_->tls_minimum;
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
    allow(settings_->deadlines.write_progress, "slow reader", Late::offence);
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
  if (!handshake_) {
    handshake_ = place_.begin_handshake(settings_->limits);
    if (!handshake_) {
      ended_by_ = "too many handshakes";
      co_return false;
    }
  }
  allow(settings_->deadlines.handshake, "slow handshake", Late::offence);
  waits_for_input_ = true;  // A drain need not wait for the rest of a handshake.
  const net::error_code error = co_await transport_.accept_tls(*context);
  waits_for_input_ = false;
  handshake_ = AddressLimiter::Handshake();
  set_.counters().add(error ? ServerCounters::handshakes_failed : ServerCounters::handshakes);
  if (error && transport_.socket().is_open()) {
    ended_by_ = evicted_ ? "evicted" : "handshake failed";
  }
  co_return !error;
}

// If a socket is closed with input unread, it sends RST, which may overtake our last octets. So we
// say that there is no more to come, and then read until the peer closes.
net::Awaitable<void> Connection::say_goodbye() {
  if (!out_.empty()) {
    const bool sent = co_await send();
    if (!sent) {
      co_return;
    }
  }
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

void Connection::allow(std::chrono::milliseconds time, const char* otherwise, Late late) {
  deadline_ = net::Clock::now() + time;
  on_deadline_ = otherwise;
  late_ = late;
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

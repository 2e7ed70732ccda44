#include "common/mtqp/client_session.h"

#include "common/base/ascii.h"
#include "common/base/wipe.h"
#include "common/mtqp/command.h"
#include "common/mtqp/limits.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace mtrk::mtqp {
namespace {

using Kind = SessionFailure::Kind;

constexpr std::string_view kQuit = "QUIT\r\n";

std::string_view first_word(std::string_view line) {
  return line.substr(0, line.find_first_of(" \t"));
}

// Returns whether one of the words after the identifier is `word`.
bool has_parameter(std::string_view line, std::string_view word) {
  line.remove_prefix(first_word(line).size());
  while (!(line = trim(line)).empty()) {
    const std::string_view next = first_word(line);
    if (iequals(next, word)) {
      return true;
    }
    line.remove_prefix(next.size());
  }
  return false;
}

// Returns one option per line; a line that starts with white space continues the one before (RFC
// 3887 §3).
std::vector<std::string> unfold_options(std::string_view body) {
  std::vector<std::string> options;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find("\r\n"), body.size());
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(std::min(end + 2, body.size()));
    if (line.empty()) {
      continue;
    }
    if (!is_wsp(line.front())) {
      options.emplace_back(line);
    } else if (!options.empty()) {
      options.back().append(" ").append(trim(line));
    }
  }
  return options;
}

// Returns what a reply says, for our error texts: the status and the codes, but not the free text,
// which is for logs (MTQP-2.3-06).
std::string describe(const Reply& reply) {
  static constexpr std::string_view kNames[] = {"+OK", "-TEMP", "-ERR", "-BAD"};
  std::string text(kNames[static_cast<std::size_t>(reply.status)]);
  for (const std::string& info : reply.info) {
    text.append("/").append(escape_for_people(info, 64));
  }
  return text;
}

}  // namespace

Expected<Greeting> parse_greeting(const Reply& reply) {
  if (reply.info.empty() || !iequals(reply.info.front(), "MTQP") ||
      reply.status == ReplyStatus::bad) {
    return fail(ErrorCode::syntax, "the greeting is not that of an MTQP server");
  }
  Greeting greeting;
  greeting.positive = reply.status == ReplyStatus::ok;
  if (!greeting.positive) {
    const bool admin = reply.info.size() > 1 && iequals(reply.info[1], "admin");
    greeting.reason = admin ? "admin" : "unavailable";  // MTQP-3-07
    return greeting;
  }
  greeting.options = unfold_options(reply.body.value_or(""));
  for (const std::string& option : greeting.options) {
    if (iequals(first_word(option), "STARTTLS")) {
      greeting.offers_starttls = true;
      greeting.requires_starttls |= has_parameter(option, "required");
    }
  }
  return greeting;
}

bool is_starttls_domain(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  // The last label of an IPv4 address consists of digits.
  return parse_domain(name) && !std::all_of(last.begin(), last.end(), is_digit);
}

ClientSession::ClientSession(ClientPolicy policy)
    : policy_(std::move(policy)), tls_active_(policy_.tls_active), replies_(policy_.max_answer) {}

void ClientSession::feed(std::string_view bytes) {
  replies_.feed(bytes);
}

ClientNext ClientSession::give_up(Kind kind, std::string detail) {
  state_ = State::closed;
  return SessionFailure{kind, std::move(detail)};
}

ClientNext ClientSession::advance(std::string& out) {
  if (state_ == State::handshake || state_ == State::closed) {
    return client::NeedInput{};
  }
  Expected<std::optional<Reply>> reply = replies_.next();
  if (!reply) {
    return state_ == State::greeting && !tls_active_
               ? give_up(Kind::not_mtqp, "the greeting is not that of an MTQP server")
               : give_up(Kind::protocol, reply.error().detail);
  }
  if (!*reply) {
    return client::NeedInput{};
  }
  switch (state_) {
    case State::greeting:
      return on_greeting(**reply, out);
    case State::starttls:
      return on_starttls(**reply, out);
    case State::track:
      return on_track(std::move(**reply));
    default:
      return give_up(Kind::protocol, "the server answers without being asked");
  }
}

ClientNext ClientSession::on_greeting(const Reply& reply, std::string& out) {
  Expected<Greeting> greeting = parse_greeting(reply);
  if (!greeting) {
    return give_up(Kind::not_mtqp, std::move(greeting.error().detail));
  }
  if (replies_.pending() != 0) {  // the next reply would answer a question that was not yet sent
    return give_up(Kind::protocol, "more than a greeting came");
  }
  greeting_ = std::move(*greeting);
  if (!greeting_.positive) {
    out += kQuit;
    return give_up(Kind::unavailable, "the server does not serve now (" + describe(reply) + ")");
  }
  if (tls_active_ || policy_.tls == TlsUse::never) {  // never STARTTLS inside TLS (MTQP-6.2-07)
    state_ = State::ready;
    return client::Ready{};
  }
  const bool can_name = is_starttls_domain(policy_.domain);
  if (greeting_.offers_starttls && can_name) {
    out += "STARTTLS " + policy_.domain + "\r\n";  // the last command of its group (MTQP-6-14)
    state_ = State::starttls;
    return client::NeedInput{};
  }
  if (policy_.tls == TlsUse::required) {
    out += kQuit;
    return give_up(Kind::no_tls, can_name ? "the server does not offer STARTTLS"
                                          : "STARTTLS needs the full domain name of the server");
  }
  state_ = State::ready;
  return client::Ready{};
}

ClientNext ClientSession::on_starttls(const Reply& reply, std::string& out) {
  if (reply.status == ReplyStatus::bad && reply.has_info("bad-fqdn") &&
      is_starttls_domain(policy_.second_domain)) {
    policy_.domain = std::exchange(policy_.second_domain, {});
    out += "STARTTLS " + policy_.domain + "\r\n";
    return client::NeedInput{};
  }
  if (reply.status != ReplyStatus::ok || reply.body) {
    out += kQuit;
    return give_up(Kind::no_tls, "STARTTLS was refused (" + describe(reply) + ")");
  }
  if (replies_.pending() != 0) {  // THR-C1: bytes that arrive now were not protected
    return give_up(Kind::protocol, "bytes wait between the answer to STARTTLS and the handshake");
  }
  state_ = State::handshake;
  return client::BeginTls{policy_.domain};
}

void ClientSession::tls_started() {
  assert(state_ == State::handshake);
  tls_active_ = true;
  greeting_ = Greeting();
  replies_ = ReplyParser(policy_.max_answer);
  state_ = State::greeting;
}

ClientNext ClientSession::on_track(Reply reply) {
  if (reply.status == ReplyStatus::ok && !reply.body) {
    return give_up(Kind::protocol, "TRACK was answered +OK without a body");
  }
  state_ = State::ready;
  return client::Answer{std::move(reply)};
}

void ClientSession::track(const EnvelopeId& envelope_id,
                          const TrackingSecret& secret,
                          std::string& out) {
  assert(state_ == State::ready);
  std::string command = format_track(envelope_id, secret);
  // A reallocation would leave a copy of the secret behind.
  out.reserve(out.size() + command.size() + 2);
  out.append(command).append("\r\n");
  wipe(command);
  state_ = State::track;
}

void ClientSession::quit(std::string& out) {
  if (state_ == State::ready) {
    out += kQuit;
    state_ = State::closed;
  }
}

}  // namespace mtrk::mtqp

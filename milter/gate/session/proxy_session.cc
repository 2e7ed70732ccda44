// This file is the client's side: from octets to commands and messages. The server's side is in
// proxy_upstream.cc.
#include "milter/gate/session/proxy_session.h"

#include "common/base/ascii.h"

#include <algorithm>
#include <utility>

namespace mtrk::smtp {

std::optional<ProxySession::Effect> ProxySession::take_effect() {
  return std::exchange(effect_, std::nullopt);
}

bool ProxySession::take_upstream_tls() {
  return std::exchange(upstream_tls_wanted_, false);
}

void ProxySession::start() {
  if (!settings_.late) {
    effect_ = Effect::connect_upstream;
    return;
  }
  stage_ = Stage::detached;
  greeted_ = true;
  to_client_ += "220 " + settings_.hostname + " ESMTP\r\n";
}

bool ProxySession::may_consume() const {
  return !closing_ && !held_ && !is_connecting() && waiting_.size() < kMaxAwaited;
}

bool ProxySession::wants_client() const {
  if (closing_ || client_gone_) {
    return false;
  }
  return !greeted_ || may_consume();  // before the greeting: to see that the client talks or goes
}

void ProxySession::from_client(std::string_view octets) {
  if (closing_ || octets.empty()) {
    return;
  }
  if (!greeted_) {
    close_with("554 5.5.1 You talk before the greeting", "talked before the greeting");
    return;
  }
  take_input(octets);
}

// Input that comes in one piece is not copied before it is looked at.
void ProxySession::take_input(std::string_view octets) {
  if (input_.empty()) {
    octets.remove_prefix(consume(octets));
    input_.append(octets);
  } else {
    input_.append(octets);
    input_.erase(0, consume(input_));
  }
  settle();
}

std::size_t ProxySession::consume(std::string_view in) {
  std::size_t at = 0;
  while (at < in.size() && may_consume()) {
    const std::string_view rest = in.substr(at);
    std::size_t taken = 0;
    switch (mode_) {
      case Mode::data:
        taken = scanner_.take(rest, to_upstream_);
        if (scanner_.done()) {
          end_message();
        }
        break;
      case Mode::chunk:
        taken = static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), chunk_left_));
        to_upstream_.append(rest, 0, taken);
        chunk_left_ -= taken;
        mode_ = chunk_left_ == 0 ? Mode::command : Mode::chunk;
        break;
      case Mode::overlong:
        taken = discard_line(rest);
        break;
      case Mode::command:
      case Mode::auth_line:
        taken = consume_line(rest);
        if (taken == 0) {
          return at;
        }
        break;
    }
    at += taken;
  }
  return at;
}

// Returns 0 if the line is not complete.
std::size_t ProxySession::consume_line(std::string_view in) {
  constexpr std::size_t kMost = kMaxAuth + 1;  // including its CR
  const std::size_t lf = in.find('\n', std::min(scanned_, in.size()));
  if (std::min(lf, in.size()) > kMost) {
    scanned_ = 0;
    if (mode_ == Mode::auth_line) {
      refuse_line({});
    }
    mode_ = Mode::overlong;
    overlong_cr_ = in[kMost] == '\r';
    return kMost + 1;
  }
  if (lf == std::string_view::npos) {
    scanned_ = in.size();
    return 0;
  }
  scanned_ = 0;
  std::string_view line = in.substr(0, lf);
  const bool crlf = !line.empty() && line.back() == '\r';
  line.remove_suffix(crlf ? 1 : 0);
  constexpr std::string_view kForbidden("\r\0", 2);
  if (!crlf || line.find_first_of(kForbidden) != std::string_view::npos) {
    refuse_line("500 5.5.2 A line ends with CRLF, and holds no CR, LF or NUL");
    return lf + 1;
  }
  if (mode_ == Mode::command && !has_plain_verb(line)) {
    refuse_line("500 5.5.2 A command begins with its verb");
    return lf + 1;
  }
  const bool is_auth = mode_ == Mode::auth_line || verb_of(line) == Verb::auth;
  if (line.size() > (is_auth ? kMaxAuth : kMaxCommand)) {
    refuse_line("500 5.5.2 Line too long");
  } else {
    take_line(line);
  }
  return lf + 1;
}

// Discards octets up to CRLF. What follows a bare LF within an overlong line is part of that line.
std::size_t ProxySession::discard_line(std::string_view in) {
  std::size_t at = 0;
  while (true) {
    const std::size_t lf = in.find('\n', at);
    if (lf == std::string_view::npos) {
      overlong_cr_ = in.back() == '\r';
      return in.size();
    }
    const bool crlf = lf == 0 ? overlong_cr_ : in[lf - 1] == '\r';
    at = lf + 1;
    if (crlf) {
      mode_ = Mode::command;
      refuse_line("500 5.5.2 Line too long");
      return at;
    }
    if (at == in.size()) {
      overlong_cr_ = false;
      return at;
    }
  }
}

void ProxySession::take_line(std::string_view line) {
  if (mode_ == Mode::auth_line) {
    mode_ = Mode::command;
    pass(Awaited::auth, line);
    return;
  }
  take_command(verb_of(line), line);
}

// Refuses a line that no server may see. In the middle of AUTH the session cannot go on.
void ProxySession::refuse_line(std::string_view reply) {
  if (mode_ == Mode::auth_line || ++bad_lines_ > kMaxBadLines) {
    close_with("421 4.7.0 " + settings_.hostname + " Too many errors", "too many errors");
    return;
  }
  answer(reply);
}

void ProxySession::end_message() {
  repaired_ += scanner_.repaired();
  mode_ = Mode::command;
  ++messages_;
  const unsigned replies = settings_.lmtp ? std::exchange(recipients_, 0) : 1;
  waiting_.insert(waiting_.end(), replies, {Awaited::message, message_mark_, {}});
}

void ProxySession::pass(Awaited what, std::string_view line, unsigned mark) {
  to_upstream_.append(line).append("\r\n");
  waiting_.push_back({what, mark, {}});
  in_transaction_ = what == Awaited::mail || (in_transaction_ && what != Awaited::reset);
  held_ = held_ || what == Awaited::ehlo || what == Awaited::data || what == Awaited::auth ||
          what == Awaited::quit;
}

void ProxySession::pass_chunk(std::string_view line, const Chunk& chunk, unsigned mark) {
  pass(Awaited::chunk, line, mark);
  messages_ += chunk.last ? 1 : 0;
  chunk_left_ = chunk.octets;
  mode_ = chunk_left_ == 0 ? Mode::command : Mode::chunk;
}

void ProxySession::answer(std::string_view reply) {
  if (waiting_.empty()) {
    to_client_.append(reply).append("\r\n");
  } else {
    waiting_.push_back({Awaited::own, 0, std::string(reply)});
  }
}

void ProxySession::client_closed() {
  client_gone_ = true;
  if (!greeted_) {
    close_with({}, "client gone before the greeting");
  }
  settle();
}

void ProxySession::settle() {
  if (closing_) {
    return;
  }
  if (tls_wanted_ && waiting_.empty()) {
    tls_wanted_ = false;
    if (!input_.empty() || client_gone_) {
      refuse_tls();
    } else {
      effect_ = Effect::offer_tls;
    }
    return;
  }
  // A client that has gone still gets what it completely asked for.
  if (client_gone_ && (mode_ != Mode::command || (waiting_.empty() && !held_))) {
    close_with({}, mode_ == Mode::command ? "client gone" : "client gone within a message");
  }
}

void ProxySession::want_tls() {
  tls_wanted_ = true;
  held_ = true;
}

void ProxySession::accept_tls() {
  to_client_ += "220 2.0.0 Ready to start TLS\r\n";
  effect_ = Effect::start_tls;
}

void ProxySession::refuse_tls() {
  close_with("554 5.5.1 Nothing may follow STARTTLS", "input behind STARTTLS");
}

void ProxySession::client_tls_started() {
  client_tls_ = true;
  held_ = false;
  input_.clear();
  scanned_ = 0;
  mode_ = Mode::command;
  bad_lines_ = 0;
  waiting_.clear();
  to_upstream_.clear();
  forget_client();
  stage_ = Stage::connecting;
  effect_ = Effect::connect_upstream;
}

void ProxySession::expire(std::string_view why) {
  close_with("421 4.4.2 " + settings_.hostname + " Timeout, closing", why);
}

bool ProxySession::is_idle() const {
  return !is_connecting() && mode_ == Mode::command && waiting_.empty() && input_.empty() &&
         !held_ && !in_transaction_ && !keeps_transaction();
}

void ProxySession::shut_down() {
  close_with("421 4.3.2 " + settings_.hostname + " Service shutting down", "shutting down");
}

void ProxySession::close_with(std::string_view reply, std::string_view why) {
  if (closing_) {
    return;
  }
  closing_ = true;
  end_ = why;
  if (!reply.empty()) {
    to_client_.append(reply).append("\r\n");
  }
  effect_ = Effect::close;
}

}  // namespace mtrk::smtp

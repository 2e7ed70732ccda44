// This file is the server's side of a proxied session: how a connection to it begins, and its
// replies.
#include "common/base/ascii.h"
#include "common/smtp/extensions.h"
#include "milter/gate/session/ehlo_rewrite.h"
#include "milter/gate/session/proxy_session.h"

#include <algorithm>
#include <utility>

namespace mtrk::smtp {
namespace {

constexpr int kServiceReady = 220;
constexpr int kSendData = 354;
constexpr int kGoOn = 334;
constexpr std::size_t kMaxQuoted = 160;  // octets of the server's text in the log

}  // namespace

void ProxySession::connect_upstream(TlsUse tls) {
  settings_.upstream_tls = tls;
  without_tls_ = false;
  in_transaction_ = false;
  to_upstream_.clear();
  stage_ = Stage::connecting;
  effect_ = Effect::connect_upstream;
}

void ProxySession::detach_upstream() {
  stage_ = Stage::detached;
  in_transaction_ = false;
  to_upstream_.clear();
}

bool ProxySession::drop_awaited(unsigned unseen) {
  std::erase_if(waiting_, [&](const Waiting& one) { return one.mark >= unseen; });
  send_own_replies();
  return waiting_.empty();
}

bool ProxySession::awaits_reply(unsigned unseen) const {
  return std::any_of(waiting_.begin(), waiting_.end(), [&](const Waiting& one) {
    return one.what != Awaited::own && one.mark < unseen;
  });
}

void ProxySession::upstream_connected() {
  replies_ = ReplyParser();
  upstream_tls_ = false;
  identified_ = false;
  to_upstream_ = upstream_preamble();
  stage_ = Stage::greeting;
}

void ProxySession::upstream_tls_started() {
  upstream_tls_ = true;
  replies_ = ReplyParser();  // nothing that came in clear counts
  advance_stage(greeting_);
}

void ProxySession::from_upstream(std::string_view octets) {
  if (stage_ == Stage::connecting || stage_ == Stage::detached) {
    return;  // the last octets of a server that was given up
  }
  replies_.feed(octets);
  while (!closing_ && stage_ != Stage::handshake && stage_ != Stage::connecting &&
         stage_ != Stage::detached) {
    Expected<std::optional<Reply>> reply = replies_.next();
    if (!reply) {
      lose_upstream(reply.error().detail);
      return;
    }
    if (!*reply) {
      return;
    }
    if (stage_ == Stage::ready) {
      take_awaited(**std::move(reply));
    } else {
      take_stage_reply(**reply);
    }
  }
}

void ProxySession::take_stage_reply(const Reply& reply) {
  switch (stage_) {
    case Stage::greeting:
    case Stage::identity:  // the server answers with a second greeting
      if (reply.code != kServiceReady) {
        give_up(reply);
        return;
      }
      identified_ = stage_ == Stage::identity;
      advance_stage(reply);
      return;
    case Stage::ehlo_for_tls:
      if (!reply.positive() || !parse_ehlo(reply).starttls) {
        go_without_tls("the server offers no STARTTLS");
        return;
      }
      to_upstream_ += "STARTTLS\r\n";
      stage_ = Stage::starttls;
      return;
    case Stage::starttls:
      if (reply.code != kServiceReady) {
        go_without_tls("the server refused STARTTLS");
      } else if (replies_.pending() > 0) {  // THR-C1
        lose_upstream("the server sent something behind its answer to STARTTLS");
      } else {
        stage_ = Stage::handshake;
        upstream_tls_wanted_ = true;
      }
      return;
    case Stage::ehlo_for_identity:
      if (const auto command = identity_command(reply)) {
        to_upstream_.append(*command).append("\r\n");
        stage_ = Stage::identity;
      } else {
        lose_upstream("the server cannot be told who the client is");
      }
      return;
    case Stage::ehlo_for_session:
      if (!reply.positive() && reply.code >= 500) {
        to_upstream_ += "HELO " + settings_.hostname + "\r\n";
        stage_ = Stage::helo_for_session;
        return;
      }
      [[fallthrough]];
    case Stage::helo_for_session:
      if (!reply.positive()) {
        give_up(reply);
        return;
      }
      stage_ = Stage::ready;
      upstream_ready(reply);
      take_input({});
      return;
    case Stage::detached:
    case Stage::connecting:
    case Stage::handshake:
    case Stage::ready:
      return;
  }
}

// Takes the next step on the way to a session; `greeting` is the last one that the server gave.
void ProxySession::advance_stage(const Reply& greeting) {
  greeting_ = Reply(greeting);
  if (settings_.upstream_tls != TlsUse::none && !upstream_tls_ && !without_tls_) {
    to_upstream_ += hello();
    stage_ = Stage::ehlo_for_tls;
  } else if (needs_identity() && !identified_) {
    to_upstream_ += hello();
    stage_ = Stage::ehlo_for_identity;
  } else {
    open_session();
  }
}

std::string ProxySession::hello() const {
  return (settings_.lmtp ? "LHLO " : "EHLO ") + settings_.hostname + "\r\n";
}

void ProxySession::go_without_tls(std::string_view why) {
  if (settings_.upstream_tls == TlsUse::required) {
    lose_upstream(why);
    return;
  }
  without_tls_ = true;
  advance_stage(greeting_);
}

void ProxySession::open_session() {
  if (settings_.late) {
    to_upstream_ += hello();
    stage_ = Stage::ehlo_for_session;
    return;
  }
  stage_ = Stage::ready;
  if (!greeted_) {
    greeted_ = true;
    to_client_ += format_reply(greeting_);
  }
  take_input({});
}

void ProxySession::take_awaited(Reply reply) {
  if (waiting_.empty()) {
    if (reply.closes()) {  // the server may say 421 at any time
      give_up(reply);
    } else {
      lose_upstream("the server answered what nobody asked");
    }
    return;
  }
  const Waiting answered = std::move(waiting_.front());
  waiting_.pop_front();
  const int code = reply.code;
  const bool closes = reply.closes();
  const bool goes_on = (answered.what == Awaited::data && code == kSendData) ||
                       (answered.what == Awaited::auth && code == kGoOn);
  if (reply.intermediate() && !goes_on) {
    lose_upstream("the server asked for more than it was to get");
    return;
  }
  if (answered.what == Awaited::mail && reply.positive()) {
    recipients_ = 0;
  } else if (answered.what == Awaited::rcpt && reply.positive()) {
    ++recipients_;
  }
  in_transaction_ = in_transaction_ && answered.what != Awaited::message &&
                    (answered.what != Awaited::mail || reply.positive());
  if (answered.what == Awaited::data || answered.what == Awaited::auth ||
      answered.what == Awaited::ehlo) {
    held_ = false;
    if (goes_on) {
      mode_ = answered.what == Awaited::data ? Mode::data : Mode::auth_line;
      scanner_ = DataScanner();
    }
  }
  if (const auto rewritten = take_reply(answered.what, answered.mark, std::move(reply))) {
    to_client_ += format_reply(*rewritten);
  }
  if ((closes && uses_upstream()) || answered.what == Awaited::quit) {
    close_with({}, answered.what == Awaited::quit ? "quit" : "the server closed");
    return;
  }
  send_own_replies();
  replied();
  take_input({});
}

void ProxySession::send_own_replies() {
  while (!waiting_.empty() && waiting_.front().what == Awaited::own) {
    to_client_.append(waiting_.front().own).append("\r\n");
    waiting_.pop_front();
  }
}

// The server refuses to talk. The client gets the server's own reply.
void ProxySession::give_up(const Reply& reply) {
  if (settings_.late) {
    lose_upstream("it answered: " + escape_for_people(reply.text(), kMaxQuoted));
    return;
  }
  const auto rewritten = take_reply(Awaited::greeting, 0, Reply(reply));
  std::string text = format_reply(rewritten ? *rewritten : reply);
  text.resize(text.size() - 2);  // close_with() ends the line
  close_with(text,
             "the server refused the connection: " + escape_for_people(reply.text(), kMaxQuoted));
}

void ProxySession::upstream_failed(std::string_view why) {
  if (stage_ == Stage::handshake && settings_.upstream_tls == TlsUse::opportunistic &&
      !without_tls_ && !closing_) {
    without_tls_ = true;
    stage_ = Stage::connecting;
    effect_ = Effect::connect_upstream;
    return;
  }
  lose_upstream(why);
}

void ProxySession::upstream_closed() {
  // In these two stages it was an older connection that closed.
  if (stage_ != Stage::connecting && stage_ != Stage::detached) {
    lose_upstream("the server closed the connection");
  }
}

void ProxySession::lose_upstream(std::string_view why) {
  if (!closing_ && survive(why)) {
    take_input({});
    return;
  }
  close_with("421 4.3.0 " + settings_.hostname + " Service not available, try again later", why);
}

}  // namespace mtrk::smtp

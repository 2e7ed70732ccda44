// This file is the mail system's side. How the next hop is reached is in
// milter/gate/session/routed_next_hop.cc.
#include "milter/gate/session/routed.h"

#include "common/base/ascii.h"
#include "common/smtp/command.h"
#include "milter/gate/session/ehlo_rewrite.h"
#include "milter/gate/session/fit_parameters.h"

#include <utility>

namespace mtrk::smtp {
namespace {

constexpr std::string_view kElsewhere =
    "452 4.5.3 Another next hop: send it in its own transaction";

}  // namespace

GateRoutedSession::GateRoutedSession(Settings settings, std::shared_ptr<const GateRoutes> routes)
    : GateOnwardSession(std::move(settings)), routes_(std::move(routes)) {}

void GateRoutedSession::take_command(Verb verb, std::string_view line) {
  if (gathers() && (verb != Verb::rcpt || recipients_.size() >= kMaxGathered)) {
    next_ = Command{verb, std::string(line)};
    begin();
    return;
  }
  switch (verb) {
    case Verb::ehlo:
    case Verb::helo:
      take_hello(verb);
      return;
    case Verb::mail:
      take_mail(line);
      return;
    case Verb::rcpt:
      take_rcpt(line);
      return;
    case Verb::data:
      take_data(line);
      return;
    case Verb::bdat:  // it is unknown here where its octets end
      close_with("503 5.5.1 CHUNKING was not offered, closing", "BDAT that cannot be passed on");
      return;
    case Verb::rset:
      take_reset();
      answer("250 2.0.0 Ok");
      return;
    case Verb::quit:
      take_quit(line);
      return;
    case Verb::xforward:
      take_xforward(line);
      return;
    case Verb::auth:
    case Verb::starttls:
    case Verb::xclient:
      answer("502 5.5.1 Command not offered");
      return;
    case Verb::lhlo:
    case Verb::other:
      answer(iequals(line.substr(0, 4), "NOOP") ? "250 2.0.0 Ok" : "502 5.5.1 Command not known");
      return;
  }
}

void GateRoutedSession::take_hello(Verb verb) {
  take_reset();
  std::string reply = "250 " + settings().hostname;
  if (verb == Verb::ehlo) {
    reply[3] = '-';
    reply +=
        "\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
        "250-ENHANCEDSTATUSCODES\r\n";
    reply.append("250 XFORWARD ").append(kXforward);
  }
  answer(reply);
}

void GateRoutedSession::take_mail(std::string_view line) {
  if (step_ != Step::none && step_ != Step::refused) {
    answer("503 5.5.1 There is a transaction already");
    return;
  }
  if (!parse_path_command(line)) {
    answer("501 5.5.4 Not MAIL FROM:<address> parameters");
    return;
  }
  mail_ = unfold_mail(line, nullptr);
  begin_transaction(line, mail_);
  transferring_ = false;
  step_ = Step::mail;
  answer("250 2.1.0 Ok");
}

bool GateRoutedSession::goes_elsewhere(std::string_view domain) const {
  return routes_->key(domain) != key_;
}

void GateRoutedSession::take_rcpt(std::string_view line) {
  if (step_ == Step::none) {
    answer("503 5.5.1 MAIL first");
    return;
  }
  const Expected<PathCommand> command = parse_path_command(line);
  const std::string_view domain = command ? domain_of(command->path) : "";
  if (domain.empty()) {
    if (gathers()) {  // its reply has to wait for those before
      next_ = Command{Verb::rcpt, std::string(line)};
      begin();
    } else {
      answer("550 5.1.3 A recipient needs a domain");
    }
    return;
  }
  if (step_ == Step::mail) {
    domain_ = to_lower(domain);
    key_ = routes_->key(domain_);
    step_ = Step::gathering;
  }
  const bool elsewhere = goes_elsewhere(domain);
  if (step_ == Step::refused) {
    answer(elsewhere ? kElsewhere : refusal_);
    return;
  }
  recipients_.push_back({std::string(line), elsewhere});
  if (step_ == Step::running) {
    send_recipients();
    return;
  }
  if (!elsewhere) {
    add_recipient(line);
  }
  if (!may_be_known()) {
    begin();  // there is nothing to look up, so there is no reason to wait for more
  }
}

void GateRoutedSession::take_data(std::string_view line) {
  if (step_ == Step::running) {
    mark_message(transferring_ ? kTransferred : kPlain);
    pass(Awaited::data, line);
  } else {
    answer(step_ == Step::none ? "503 5.5.1 MAIL first" : "554 5.5.1 No valid recipients");
  }
  end_transaction();
}

void GateRoutedSession::take_reset() {
  end_transaction();
  if (connected() && in_transaction()) {
    pass(Awaited::reset, "RSET", kOurs);
  }
}

void GateRoutedSession::take_quit(std::string_view line) {
  end_transaction();
  if (connected()) {
    pass(Awaited::quit, line);
  } else {
    close_with("221 2.0.0 Bye", "quit");
  }
}

// Also forgets the queue id, because Postfix names it anew before each MAIL.
void GateRoutedSession::end_transaction() {
  forget_ident();
  step_ = Step::none;
  recipients_.clear();
}

void GateRoutedSession::input_paused() {
  if (gathers()) {
    begin();
  }
}

// Sends on or answers, in its order, what was kept back.
void GateRoutedSession::send_recipients() {
  release();
  while (!recipients_.empty()) {
    const Recipient recipient = std::move(recipients_.front());
    recipients_.pop_front();
    if (recipient.elsewhere) {
      answer(kElsewhere);
    } else if (step_ == Step::refused) {
      answer(refusal_);
    } else {
      pass(Awaited::rcpt, fit_parameters(recipient.line, offered_).line);
      if (!offered_.pipelining) {
        hold();  // until replied()
        return;
      }
    }
  }
  if (const std::optional<Command> next = std::exchange(next_, std::nullopt)) {
    take_command(next->verb, next->line);
  }
}

void GateRoutedSession::replied() {
  if (step_ == Step::settling && !awaits_reply(kOurs)) {
    choose();
  } else if (step_ == Step::running && !offered_.pipelining && !awaits_reply(kOurs)) {
    send_recipients();
  }
}

std::optional<Reply> GateRoutedSession::take_reply(Awaited what, unsigned mark, Reply reply) {
  add_enhanced_codes(reply);
  if (what == Awaited::mail) {
    take_mail_reply(mark, std::move(reply));
    return std::nullopt;
  }
  if (mark >= kOurs) {
    return std::nullopt;
  }
  if (what == Awaited::message) {
    return tagged(std::move(reply), mark == kTransferred);
  }
  return reply.code >= 400 ? tagged(std::move(reply), false) : reply;
}

}  // namespace mtrk::smtp

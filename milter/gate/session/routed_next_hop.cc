// This file says how a routed session reaches its next hop, up to the reply to MAIL.
#include "common/base/ascii.h"
#include "milter/gate/session/ehlo_rewrite.h"
#include "milter/gate/session/fit_parameters.h"
#include "milter/gate/session/routed.h"

#include <utility>

namespace mtrk::smtp {
namespace {

constexpr std::size_t kMaxReason = 200;  // octets of the reason why no place was reached

}  // namespace

// No more recipients will be known now. First the server has to give those replies that the mail
// system still waits for; otherwise they would be lost when the session leaves that server.
void GateRoutedSession::begin() {
  hold();
  if (awaits_reply(kOurs)) {
    step_ = Step::settling;
  } else {
    choose();
  }
}

void GateRoutedSession::choose() {
  reused_ = connected() && connected_key_ == key_;
  if (reused_) {
    proceed();
    return;
  }
  if (connected()) {
    leave();
    to_upstream() = "QUIT\r\n";
  }
  step_ = Step::choosing;
  want(Effect::choose_next_hop);
}

void GateRoutedSession::take_places(std::vector<Place> places) {
  places_ = std::move(places);
  place_ = 0;
  try_place();
}

void GateRoutedSession::take_no_place(std::string_view refusal) {
  refuse(std::string(refusal));
  resume();
}

void GateRoutedSession::try_place() {
  const Place& to = place();
  set_next_hop({false, to.host, to.address, std::to_string(to.port)});
  static_cast<void>(drop_awaited(kOurs));
  connected_key_.clear();
  step_ = Step::connecting;
  connect_upstream(route().tls);
}

void GateRoutedSession::upstream_ready(const Reply& hello) {
  offered_ = parse_ehlo(hello);
  connected_key_ = key_;
  proceed();
}

void GateRoutedSession::proceed() {
  if (worth_asking(offered_.mtrk)) {
    step_ = Step::looking_up;
    want(Effect::look_up);
  } else {
    ask(std::nullopt);
  }
}

void GateRoutedSession::answer_look_up(Answer answer) {
  if (step_ == Step::looking_up) {  // otherwise the next hop was lost meanwhile
    if (answer.list_copy) {
      mail_ = without_envid(mail_);
    }
    begin_passing(answer);
    ask(answer.onward);
    resume();
  }
}

// Further commands wait for the reply to MAIL. If the next hop refuses MTRK, that must not cost the
// message; if it refuses MAIL, that holds for all recipients.
void GateRoutedSession::ask(const std::optional<Onward>& onward) {
  const FittedCommand mail =
      fit_parameters(onward ? unfold_mail(mail_, &*onward) : mail_, offered_);
  if (!mail.refusal.empty()) {
    refuse_tagged(mail.refusal);
    return;
  }
  if (in_transaction()) {
    pass(Awaited::reset, "RSET", kOurs);
  }
  step_ = Step::asking;
  pass(Awaited::mail, mail.line, onward ? kOurMailWithMtrk : kOurMail);
}

void GateRoutedSession::take_mail_reply(unsigned mark, Reply reply) {
  const bool with_mtrk = mark == kOurMailWithMtrk;
  if (with_mtrk) {
    end_passing(reply);
  }
  if (reply.positive()) {
    step_ = Step::running;
    transferring_ = with_mtrk;
    send_recipients();
    return;
  }
  if (with_mtrk && reply.code >= 500) {
    pass(Awaited::reset, "RSET", kOurs);
    ask(std::nullopt);
    return;
  }
  // The session with the next hop is over, but not the one with the mail system.
  if (reply.closes()) {
    reply.code = 451;
    leave();
  }
  refuse(tagged_refusal(std::move(reply)));
}

// `text` is, for example, "451 4.4.1 text".
void GateRoutedSession::refuse_tagged(std::string_view text) {
  Reply reply;
  reply.code = parse_number<int>(text.substr(0, 3)).value_or(451);
  reply.lines.emplace_back(text.substr(4));
  refuse(tagged_refusal(std::move(reply)));
}

void GateRoutedSession::refuse(std::string reply) {
  refusal_ = std::move(reply);
  step_ = Step::refused;
  send_recipients();
}

void GateRoutedSession::leave() {
  detach_upstream();
  connected_key_.clear();
}

bool GateRoutedSession::survive(std::string_view why) {
  if (!drop_awaited(kOurs) || step_ == Step::running) {
    return false;  // the mail system waits for the server's reply
  }
  const bool asked = step_ == Step::looking_up || step_ == Step::asking;
  if (step_ == Step::connecting && place_ + 1 < places_.size()) {
    ++place_;
    try_place();
    return true;
  }
  leave();
  if (step_ == Step::connecting) {
    refuse_tagged("451 4.4.1 Cannot be reached: " + escape_for_people(why, kMaxReason));
  } else if (asked && reused_) {
    choose();  // the next hop had closed the idle connection before this message
  } else if (asked) {
    refuse_tagged("451 4.4.2 The connection was lost: " + escape_for_people(why, kMaxReason));
  }
  return true;
}

}  // namespace mtrk::smtp

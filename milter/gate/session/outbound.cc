#include "milter/gate/session/outbound.h"

#include "common/smtp/extensions.h"
#include "milter/gate/session/ehlo_rewrite.h"

#include <utility>

namespace mtrk::smtp {

GateOutboundSession::GateOutboundSession(Settings settings)
    : GateOnwardSession(std::move(settings)) {}

void GateOutboundSession::take_command(Verb verb, std::string_view line) {
  if (gathers_) {
    if (verb == Verb::rcpt && gathered_.size() < kMaxGathered) {
      gathered_.emplace_back(line);
      add_recipient(line);
    } else {
      begin_look_up(verb, line);
    }
    return;
  }
  switch (verb) {
    case Verb::ehlo:
    case Verb::helo:
    case Verb::lhlo:
      take_hello(verb, line);
      return;
    case Verb::mail:
      take_mail(line);
      return;
    case Verb::rcpt:
      if (!refusal_.empty()) {
        answer(refusal_);
      } else if (settings().lmtp && recipients() >= kMaxGathered) {  // each is a reply to wait for
        answer("452 4.5.3 Too many recipients");
      } else {
        pass(Awaited::rcpt, line);
      }
      return;
    case Verb::data:
      mark_message(transferring_ ? kTransferred : kPlain);
      pass(Awaited::data, line);
      end_transaction();
      return;
    case Verb::bdat: {
      const Expected<Chunk> chunk = parse_bdat(line);
      if (!chunking_ || !chunk) {
        close_with("501 5.5.4 Bad BDAT command, closing", "BDAT that cannot be passed on");
        return;
      }
      pass_chunk(line, *chunk, transferring_ ? kTransferred : kPlain);
      if (chunk->last) {
        end_transaction();
      }
      return;
    }
    case Verb::rset:
      end_transaction();
      pass(Awaited::reset, line);
      return;
    case Verb::quit:
      pass(Awaited::quit, line);
      return;
    case Verb::auth:
      pass(Awaited::auth, line);
      return;
    case Verb::xforward:
      take_xforward(line);
      return;
    case Verb::starttls:
    case Verb::xclient:
      answer("502 5.5.1 Command not offered");
      return;
    case Verb::other:
      pass(Awaited::other, line);
      return;
  }
}

void GateOutboundSession::take_hello(Verb verb, std::string_view line) {
  if (settings().lmtp != (verb == Verb::lhlo)) {  // RFC 2033 §4.1
    answer(settings().lmtp ? "500 5.5.1 This is LMTP: LHLO" : "500 5.5.1 This is SMTP: EHLO");
    return;
  }
  end_transaction();
  pass(Awaited::ehlo, line, verb == Verb::helo ? kPlain : kEhlo);
}

void GateOutboundSession::take_mail(std::string_view line) {
  transferring_ = false;
  refusal_.clear();
  std::string plain = unfold_mail(line, nullptr);
  begin_transaction(line, plain);
  if (!worth_asking(mtrk_)) {
    pass(Awaited::mail, plain);
    return;
  }
  mail_ = std::move(plain);
  gathered_.clear();
  gathers_ = true;
  vouched_ = transaction().certifier.has_value();
  if (vouched_) {
    answer("250 2.1.0 Ok");
  }
}

void GateOutboundSession::begin_look_up(Verb verb, std::string_view line) {
  next_ = Command{verb, std::string(line)};
  gathers_ = false;
  hold();
  want(Effect::look_up);
}

void GateOutboundSession::input_paused() {
  if (gathers_ && !(vouched_ && gathered_.empty())) {
    gathers_ = false;
    hold();
    want(Effect::look_up);
  }
}

void GateOutboundSession::answer_look_up(Answer answer) {
  if (answer.onward) {
    begin_passing(answer);
    // Commands are still held: a next hop that announces MTRK and then refuses it must not cost the
    // message.
    pass(Awaited::mail, unfold_mail(mail_, &*answer.onward),
         vouched_ ? kOurMailWithMtrk : kWithMtrk);
    return;
  }
  pass(Awaited::mail, answer.list_copy ? without_envid(mail_) : mail_,
       vouched_ ? kOurMail : kPlain);
  if (!vouched_) {
    send_gathered();
    resume();
  }
}

void GateOutboundSession::send_gathered() {
  release();
  for (const std::string& line : std::exchange(gathered_, {})) {
    if (refusal_.empty()) {
      pass(Awaited::rcpt, line);
    } else {
      answer(refusal_);
    }
  }
  if (const std::optional<Command> next = std::exchange(next_, std::nullopt)) {
    take_command(next->verb, next->line);
  }
}

void GateOutboundSession::replied() {
  if (std::exchange(mail_answered_, false)) {
    send_gathered();
  }
}

void GateOutboundSession::end_transaction() {
  forget_ident();
  transferring_ = false;
  refusal_.clear();
}

std::optional<Reply> GateOutboundSession::take_reply(Awaited what, unsigned mark, Reply reply) {
  switch (what) {
    case Awaited::ehlo:
      if (mark == kEhlo && reply.positive()) {
        mtrk_ = parse_ehlo(reply).mtrk;
        // With LMTP we would have to know, when LAST is sent, which recipients were accepted.
        chunking_ = !settings().lmtp && find_keyword(reply, "CHUNKING") != nullptr;
        EhloRewrite how;
        how.keep_chunking = chunking_;
        how.add_xforward = kXforward;
        return rewrite_ehlo(reply, how);
      }
      mtrk_ = chunking_ = false;
      return reply.positive() ? reply : tagged(std::move(reply), false);
    case Awaited::mail:
      return take_mail_reply(mark, std::move(reply));
    case Awaited::message:
    case Awaited::chunk:
      return tagged(std::move(reply), mark == kTransferred);
    case Awaited::reset:
      if (mark == kOurs) {
        return std::nullopt;
      }
      break;
    case Awaited::greeting:
    case Awaited::rcpt:
    case Awaited::data:
    case Awaited::auth:
    case Awaited::quit:
    case Awaited::other:
    case Awaited::own:
      break;
  }
  return reply.code >= 400 ? tagged(std::move(reply), false) : reply;  // any of these may be logged
}

std::optional<Reply> GateOutboundSession::take_mail_reply(unsigned mark, Reply reply) {
  const bool with_mtrk = mark == kWithMtrk || mark == kOurMailWithMtrk;
  const bool vouched = mark == kOurMail || mark == kOurMailWithMtrk;
  if (with_mtrk) {
    end_passing(reply);
  }
  if (with_mtrk && reply.code >= 500) {
    pass(Awaited::reset, "RSET", kOurs);
    pass(Awaited::mail, mail_, vouched ? kOurMail : kPlain);
    mail_answered_ = !vouched;
    return std::nullopt;
  }
  if (with_mtrk && reply.positive()) {
    transferring_ = true;
  }
  mail_answered_ = with_mtrk || vouched;
  if (vouched && reply.positive()) {
    return std::nullopt;
  }
  if (vouched && !reply.closes()) {
    refusal_ = tagged_refusal(std::move(reply));
    return std::nullopt;
  }
  return reply.code >= 400 ? tagged(std::move(reply), false) : reply;
}

}  // namespace mtrk::smtp

#include "milter/gate/session/inbound.h"

#include "common/base/ascii.h"
#include "common/smtp/extensions.h"
#include "common/track/queue_id.h"
#include "milter/gate/session/ehlo_rewrite.h"
#include "milter/gate/session/mail_fold.h"

#include <algorithm>
#include <utility>

namespace mtrk::smtp {
namespace {

constexpr std::size_t kMostUntracked = 100;  // those whose reply is awaited

// Returns the queue id in "2.0.0 Ok: queued as ID" (Postfix) or "2.0.0 ID Message accepted for
// delivery" (Sendmail); empty if the reply says something else.
std::string queue_id_in(const Reply& reply) {
  constexpr std::string_view kQueued = "queued as ";
  constexpr std::string_view kAccepted = " Message accepted for delivery";
  const std::string_view text = reply.lines.front();
  std::string_view id;
  if (const std::size_t at = text.rfind(kQueued); at != std::string_view::npos) {
    id = text.substr(at + kQueued.size());
  } else if (const std::size_t end = text.find(kAccepted); end != std::string_view::npos) {
    id = text.substr(0, end);
    id = id.substr(id.rfind(' ') + 1);
  }
  return QueueId::is_queue_id(id) ? std::string(id) : std::string();
}

}  // namespace

GateInboundSession::GateInboundSession(Options options, ClientIdentity client)
    : ProxySession(options.settings), options_(std::move(options)), client_(std::move(client)) {}

std::string GateInboundSession::upstream_preamble() {
  return options_.identify == Identify::proxy ? format_proxy_header(client_.client, client_.here)
                                              : std::string();
}

bool GateInboundSession::needs_identity() const {
  return options_.identify == Identify::xclient;
}

std::optional<std::string> GateInboundSession::identity_command(const Reply& ehlo) {
  const char* attributes = ehlo.positive() ? find_keyword(ehlo, "XCLIENT") : nullptr;
  return attributes == nullptr ? std::nullopt : format_xclient(client_, attributes);
}

void GateInboundSession::forget_client() {
  folds_ = false;
  chunking_ = false;
}

bool GateInboundSession::auth_allowed() const {
  return client_tls() || !options_.tls_offered || options_.auth_in_clear;
}

void GateInboundSession::take_command(Verb verb, std::string_view line) {
  switch (verb) {
    case Verb::ehlo:
    case Verb::helo:
      helo_ = line.substr(std::min(line.find_first_not_of(' ', 4), line.size()));
      forget_untracked();
      pass(Awaited::ehlo, line, verb == Verb::ehlo ? 1 : 0);
      return;
    case Verb::mail:
      take_mail(line);
      return;
    case Verb::rcpt:
      pass(Awaited::rcpt, line);
      return;
    case Verb::data:
      mark_message(std::exchange(transaction_, 0));
      pass(Awaited::data, line);
      return;
    case Verb::bdat:
      take_bdat(line);
      return;
    case Verb::quit:
      pass(Awaited::quit, line);
      return;
    case Verb::auth:
      if (!auth_allowed()) {
        answer("530 5.7.0 Must issue a STARTTLS command first");
      } else {
        pass(Awaited::auth, line);
      }
      return;
    case Verb::starttls:
      if (client_tls()) {
        answer("554 5.5.1 TLS is active already");
      } else if (!options_.tls_offered) {
        answer("502 5.5.1 STARTTLS is not offered");
      } else if (!iequals(trim(line), "STARTTLS")) {
        answer("501 5.5.4 STARTTLS has no parameters");
      } else {
        want_tls();
      }
      return;
    case Verb::xclient:
    case Verb::xforward:  // the server believes what we say in it, so a client must not say it
      answer("502 5.5.1 Command not offered");
      return;
    case Verb::rset:
      forget_untracked();
      pass(Awaited::reset, line);
      return;
    case Verb::lhlo:
    case Verb::other:
      pass(Awaited::other, line);
      return;
  }
}

// The transaction under way ends without a message.
void GateInboundSession::forget_untracked() {
  if (std::exchange(transaction_, 0) != 0) {
    untracked_.pop_back();
  }
}

// The server answers messages in their order, so those before this one got no reply that could be
// noted.
void GateInboundSession::note_untracked(unsigned mark, const Reply& reply) {
  while (!untracked_.empty() && untracked_.front().mark <= mark) {
    if (untracked_.front().mark == mark && reply.positive()) {
      note({queue_id_in(reply), "not-tracked", "reason", std::move(untracked_.front().why)});
    }
    untracked_.pop_front();
  }
}

void GateInboundSession::take_mail(std::string_view line) {
  forget_untracked();
  RewrittenMail mail = folds_ ? fold_mail(line) : RewrittenMail();
  switch (mail.kind) {
    case RewrittenMail::Kind::verbatim:
      pass(Awaited::mail, line);
      return;
    case RewrittenMail::Kind::folded:
      ++folded_;
      break;
    case RewrittenMail::Kind::dropped:
      ++dropped_;
      why_ = std::move(mail.why);
      if (untracked_.size() < kMostUntracked) {
        transaction_ = ++last_mark_;
        untracked_.push_back({transaction_, why_});
      }
      break;
    case RewrittenMail::Kind::refused:
      ++refused_;
      why_ = std::move(mail.why);
      note({"", "refused", "reason", why_});
      answer("501 5.5.4 Bad MTRK parameter: " + why_);
      return;
  }
  pass(Awaited::mail, mail.line);
}

// The end of the octets after BDAT is known only if the server knows BDAT and can read this
// command.
void GateInboundSession::take_bdat(std::string_view line) {
  const Expected<Chunk> chunk = parse_bdat(line);
  if (!chunking_ || !chunk) {
    close_with(chunking_ ? "501 5.5.4 Bad BDAT command, closing"
                         : "503 5.5.1 CHUNKING was not offered, closing",
               "BDAT that cannot be passed on");
    return;
  }
  pass_chunk(line, *chunk, chunk->last ? std::exchange(transaction_, 0) : 0);
}

std::optional<Reply> GateInboundSession::take_reply(Awaited what, unsigned mark, Reply reply) {
  if (what == Awaited::ehlo && mark == 1 && reply.positive()) {
    return rewrite(reply);
  }
  if (what == Awaited::ehlo && mark == 0 && reply.positive()) {
    folds_ = false;  // after HELO there are no extensions
    chunking_ = false;
  }
  if ((what == Awaited::message || what == Awaited::chunk) && mark != 0) {
    note_untracked(mark, reply);
  }
  return reply;
}

Reply GateInboundSession::rewrite(const Reply& ehlo) {
  const Extensions extensions = parse_ehlo(ehlo);
  folds_ = extensions.dsn && !extensions.mtrk;
  chunking_ = find_keyword(ehlo, "CHUNKING") != nullptr;
  EhloRewrite how;
  how.keep_auth = auth_allowed();
  how.keep_mtrk = extensions.mtrk;
  how.add_mtrk = folds_;
  how.add_starttls = options_.tls_offered && !client_tls();
  return rewrite_ehlo(ehlo, how);
}

}  // namespace mtrk::smtp

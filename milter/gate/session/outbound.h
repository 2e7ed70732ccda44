#pragma once

#include "milter/gate/session/onward.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mtrk::smtp {

// Sends all mail to one next hop (milter/gate/session/onward.h). The next hop is connected to at
// once, so that the mail system sees what it offers and gets its own replies. With settings.lmtp
// both sides speak LMTP, whose reply for each recipient has no place in SMTP (RFC 2033, RFC 3886
// §3.5).
//
// MAIL that is worth a look-up goes on when the recipients are known. Postfix sends them right
// after it. Sendmail, which is known by its fold, waits for the reply to MAIL. It gets a reply of
// ours, and if the next hop then refuses MAIL, Sendmail gets that refusal as the reply to each
// recipient.
class GateOutboundSession : public GateOnwardSession {
 public:
  explicit GateOutboundSession(Settings settings);

  void answer_look_up(Answer answer) override;
  [[nodiscard]] bool gathers() const override { return gathers_; }
  void input_paused() override;

 private:
  void take_command(Verb verb, std::string_view line) override;
  std::optional<Reply> take_reply(Awaited what, unsigned mark, Reply reply) override;
  void replied() override;
  [[nodiscard]] bool keeps_transaction() const override { return gathers_; }

  void take_hello(Verb verb, std::string_view line);
  void take_mail(std::string_view line);
  void begin_look_up(Verb verb, std::string_view line);
  void send_gathered();
  void end_transaction();
  std::optional<Reply> take_mail_reply(unsigned mark, Reply reply);

  bool mtrk_ = false;  // the next hop announced MTRK
  bool chunking_ = false;

  std::string mail_;                   // MAIL without fold and MTRK, kept back
  std::vector<std::string> gathered_;  // RCPT commands after `mail_`
  bool gathers_ = false;
  struct Command {
    Verb verb = Verb::other;
    std::string line;
  };
  std::optional<Command> next_;  // the command that ended the gathering
  bool mail_answered_ = false;   // the gathered commands are next
  bool vouched_ = false;         // we have answered MAIL
  std::string refusal_;          // the reply to a MAIL that we had answered
  // MAIL of the current transaction was accepted with MTRK=.
  bool transferring_ = false;
};

}  // namespace mtrk::smtp

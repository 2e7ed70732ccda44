#pragma once

#include "common/smtp/mail_fold.h"
#include "common/smtp/proxy_session.h"
#include "common/track/gate_tag.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The gate behind a mail system that does not know RFC 3885, as its next hop for some destinations:
// a synchronous relay that queues nothing. It adds MTRK=certifier:remaining where the true next hop
// announces MTRK, takes a fold off wherever one is left, and says in its replies how the message
// went on (gate_tag.h).
//
// Postfix tells the queue id by XFORWARD IDENT (smtp_send_xforward_command), which is the key to
// the certifier. It is given before MAIL, and is void with the end of the transaction.
namespace mtrk::smtp {

class GateOutboundSession : public ProxySession {
 public:
  explicit GateOutboundSession(Settings settings);

  // Whom it is connected to, for the tag; before upstream_connected(). The tag's word is of no
  // account.
  void set_next_hop(GateTag next_hop) { next_hop_ = std::move(next_hop); }

  // Effect::look_up: what is known of the transaction that begins; its RCPT commands are here as
  // far as the mail system sent them without waiting. Then answer_look_up().
  struct Transaction {
    std::string queue_id;
    std::string sender;
    std::string envid;  // plain, xtext; empty if there is none
    struct Recipient {
      std::string address;
      std::string orcpt;  // the value as given, "rfc822;…"; empty if there is none
    };
    std::vector<Recipient> recipients;
  };
  [[nodiscard]] const Transaction& transaction() const { return transaction_; }
  void answer_look_up(std::optional<Onward> onward);

  // MAIL is kept back until its recipients are known. If the mail system sends none without an
  // answer to MAIL, input_paused() makes it go on.
  [[nodiscard]] bool gathers() const { return gathers_; }
  void input_paused();

  [[nodiscard]] std::uint64_t passed_on() const { return passed_on_; }  // MAIL with MTRK=, accepted

 private:
  static constexpr std::size_t kMaxGathered = 1000;

  void take_command(Verb verb, std::string_view line) override;
  std::optional<Reply> take_reply(Awaited what, unsigned mark, Reply reply) override;
  void replied() override;

  void take_xforward(std::string_view line);
  void take_mail(std::string_view line);
  void gather(std::string_view line);
  void begin_look_up(Verb verb, std::string_view line);
  void send_gathered();
  void end_transaction();
  std::optional<Reply> take_mail_reply(unsigned mark, Reply reply);
  [[nodiscard]] Reply tagged(Reply reply, bool transferred) const;

  GateTag next_hop_;   // without an address: not connected, so no tag
  bool mtrk_ = false;  // announced by the next hop
  bool chunking_ = false;
  std::optional<std::string> ident_;

  Transaction transaction_;
  std::string mail_;                   // MAIL without fold and MTRK, kept back
  std::vector<std::string> gathered_;  // RCPT commands behind it
  bool gathers_ = false;
  struct Command {
    Verb verb = Verb::other;
    std::string line;
  };
  std::optional<Command> next_;  // the command that ended the gathering
  bool mail_answered_ = false;   // the gathered commands are next
  bool transferring_ = false;    // MAIL of the current transaction was accepted with MTRK=
  std::uint64_t passed_on_ = 0;
};

}  // namespace mtrk::smtp

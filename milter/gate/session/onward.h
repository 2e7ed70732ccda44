#pragma once

#include "common/track/gate_tag.h"
#include "common/track/onward_query.h"
#include "milter/gate/session/mail_fold.h"
#include "milter/gate/session/proxy_session.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The gate behind a mail system that does not know RFC 3885: a synchronous relay that queues
// nothing. It adds MTRK=certifier:remaining where the true next hop announces MTRK, takes a fold
// off wherever one is left, and says in its replies how the message went on (gate_tag.h). This is
// what its two sessions share: with one next hop (milter/gate/session/outbound.h), or one that the
// recipients choose (milter/gate/session/routed.h).
//
// The store knows a message by its queue id, which Postfix tells by XFORWARD IDENT
// (smtp_send_xforward_command) before MAIL; it is void with the end of the transaction. Sendmail
// cannot tell it: there the fold that the milter left in ENVID says the certifier, and that is only
// passed on if the store has it, too.
namespace mtrk::smtp {

class GateOnwardSession : public ProxySession {
 public:
  using ProxySession::ProxySession;

  // Whom it is connected to, or tries to be, for the tag. The tag's word is of no account.
  void set_next_hop(GateTag next_hop) { next_hop_ = std::move(next_hop); }

  // Effect::look_up: what is known of the transaction that begins; its RCPT commands are here as
  // far as the mail system sent them without waiting. Then answer_look_up().
  using Transaction = OnwardTransaction;
  [[nodiscard]] const Transaction& transaction() const { return transaction_; }
  // How MAIL goes on: as it is, unless one of these is given.
  struct Answer {
    std::optional<Onward> onward;  // never if the next hop does not take MTRK
    bool list_copy = false;        // without the ENVID of what the list was sent
    std::string queue_id;          // of what is onward, for the log
  };
  virtual void answer_look_up(Answer answer) = 0;

  // Commands are kept back until the recipients are known. If the mail system sends none without an
  // answer, input_paused() makes it go on.
  [[nodiscard]] virtual bool gathers() const = 0;
  virtual void input_paused() = 0;

  [[nodiscard]] std::uint64_t passed_on() const { return passed_on_; }  // MAIL with MTRK=, accepted

 protected:
  static constexpr std::size_t kMaxGathered = 1000;
  static constexpr std::string_view kXforward = "NAME ADDR PORT PROTO HELO IDENT SOURCE";

  // What a reply belongs to: the mark of pass().
  enum Mark : unsigned {
    kPlain,
    kEhlo,         // of EHLO: extensions are meant for us
    kTransferred,  // of a message that was sent with MTRK=
    kWithMtrk,     // of MAIL that carries MTRK=
    kOurs,         // from here on: of a command of our own, not for the mail system
    kOurMail,
    kOurMailWithMtrk,
  };

  void take_xforward(std::string_view line);
  // Of MAIL as it came, and without fold and MTRK.
  void begin_transaction(std::string_view line, std::string_view plain);
  void add_recipient(std::string_view line);  // RCPT
  // Whether a look-up could change anything about the transaction that has begun, now that it is
  // known whether the next hop takes MTRK (which the transaction keeps).
  [[nodiscard]] bool worth_asking(bool takes_mtrk);
  // There is something by which the store may know the transaction.
  [[nodiscard]] bool may_be_known() const { return ident_ || transaction_.certifier; }
  void forget_ident() { ident_.reset(); }  // Postfix names the queue id anew before each MAIL
  void begin_passing(const Answer& answer) { passing_id_ = answer.queue_id; }
  void end_passing(const Reply& reply);  // to MAIL with MTRK=

  // A reply with the tag in it; as it is while nobody is connected to.
  [[nodiscard]] Reply tagged(Reply reply, bool transferred) const;
  // A refusal, for answer().
  [[nodiscard]] std::string tagged_refusal(Reply reply) const;

 private:
  GateTag next_hop_;  // without an address: not connected, so no tag
  std::optional<std::string> ident_;
  Transaction transaction_;
  std::uint64_t passed_on_ = 0;
  std::string passing_id_;
};

}  // namespace mtrk::smtp

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

// This is the gate after a mail system that does not know RFC 3885: a synchronous relay that queues
// nothing. It adds MTRK=certifier:remaining if the true next hop announces MTRK, removes a fold
// wherever one is left, and says in its replies how the message went on (gate_tag.h). This class is
// what two sessions have in common: the one with a single next hop
// (milter/gate/session/outbound.h), and the one whose recipients choose the next hop
// (milter/gate/session/routed.h).
//
// The store knows a message by its queue id. Postfix gives it by XFORWARD IDENT
// (smtp_send_xforward_command) before MAIL; it is void when the transaction ends. Sendmail cannot
// give it. There the certifier is read from the fold that the milter left in ENVID, and it is only
// passed on if the store has it, too.
namespace mtrk::smtp {

class GateOnwardSession : public ProxySession {
 public:
  using ProxySession::ProxySession;

  // Sets the host that the session is connected to, or tries to connect to, for the tag. The member
  // `transferred` of `next_hop` is ignored.
  void set_next_hop(GateTag next_hop) { next_hop_ = std::move(next_hop); }

  // Answers Effect::look_up: returns what is known of the transaction that begins, with those of
  // its RCPT commands that the mail system sent without waiting. Call answer_look_up() next.
  using Transaction = OnwardTransaction;
  [[nodiscard]] const Transaction& transaction() const { return transaction_; }
  // Says how MAIL goes on: unchanged, unless a member is set.
  struct Answer {
    std::optional<Onward> onward;  // never set if the next hop does not take MTRK
    // Sends MAIL without the ENVID of the message that the list received.
    bool list_copy = false;
    std::string queue_id;  // of the message that `onward` belongs to, for the log
  };
  virtual void answer_look_up(Answer answer) = 0;

  // Returns true while commands are kept back until the recipients are known. If the mail system
  // sends no more of them before it has an answer, call input_paused(), which makes the session go
  // on.
  [[nodiscard]] virtual bool gathers() const = 0;
  virtual void input_paused() = 0;

  // Counts MAIL with MTRK= that was accepted.
  [[nodiscard]] std::uint64_t passed_on() const { return passed_on_; }

 protected:
  static constexpr std::size_t kMaxGathered = 1000;
  static constexpr std::string_view kXforward = "NAME ADDR PORT PROTO HELO IDENT SOURCE";

  // Says what a reply belongs to; it is the mark of pass().
  enum Mark : unsigned {
    kPlain,
    kEhlo,         // EHLO, whose extensions are meant for us
    kTransferred,  // a message that was sent with MTRK=
    kWithMtrk,     // MAIL that carries MTRK=
    kOurs,         // from here on: a command of our own, not for the mail system
    kOurMail,
    kOurMailWithMtrk,
  };

  void take_xforward(std::string_view line);
  // `line` is MAIL as it came, and `plain` is MAIL without fold and MTRK.
  void begin_transaction(std::string_view line, std::string_view plain);
  void add_recipient(std::string_view line);  // `line` is RCPT
  // Returns true if a look-up could change anything about the transaction that has begun, now that
  // it is known whether the next hop takes MTRK (which the transaction records).
  [[nodiscard]] bool worth_asking(bool takes_mtrk);
  // Returns true if there is something by which the store may know the transaction.
  [[nodiscard]] bool may_be_known() const { return ident_ || transaction_.certifier; }
  // Postfix names the queue id anew before each MAIL.
  void forget_ident() { ident_.reset(); }
  void begin_passing(const Answer& answer) { passing_id_ = answer.queue_id; }
  void end_passing(const Reply& reply);  // `reply` answers MAIL with MTRK=

  // Returns the reply with the tag in it, or unchanged while the session is connected to no host.
  [[nodiscard]] Reply tagged(Reply reply, bool transferred) const;
  // Returns a refusal for answer().
  [[nodiscard]] std::string tagged_refusal(Reply reply) const;

 private:
  GateTag next_hop_;  // without an address while not connected: then there is no tag
  std::optional<std::string> ident_;
  Transaction transaction_;
  std::uint64_t passed_on_ = 0;
  std::string passing_id_;
};

}  // namespace mtrk::smtp

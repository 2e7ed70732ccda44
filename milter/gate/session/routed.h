#pragma once

#include "common/smtp/extensions.h"
#include "milter/gate/session/onward.h"
#include "milter/gate/session/routes.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mtrk::smtp {

// A GateRoutedSession lets the recipients choose the next hop: the domain of the first one decides
// (milter/gate/session/routes.h, RFC 5321 §5.1).
//
//  * Until then there is no next hop to ask, so we answer greeting, EHLO and MAIL ourselves. We
//    offer what nearly all servers have. What the next hop does not have is taken off the commands,
//    or the recipients are refused (fit_parameters.h).
//  * A transaction has one reply to its message, so it has one next hop. A recipient who goes
//    elsewhere gets 452 4.5.3, and comes in a transaction of its own (RFC 5321 §4.5.3.1.10).
//  * The places of a next hop are tried in their order, until one has greeted us and answered EHLO;
//    from MAIL on, what that place says is the answer. If no place does so, the recipients get 451.
//  * The connection is kept for the next transaction if that goes to the same next hop.
class GateRoutedSession : public GateOnwardSession {
 public:
  // `settings.late` has to be set. Many sessions share `routes`.
  GateRoutedSession(Settings settings, std::shared_ptr<const GateRoutes> routes);

  // Answers Effect::choose_next_hop: the places for mail to domain() by the rule route(). Call
  // take_places() or take_no_place() next.
  struct Place {
    std::string host;  // empty for an address literal
    std::string address;
    std::uint16_t port = 0;
    std::string certificate_name;  // name required in the certificate if TLS is required
  };
  void take_places(std::vector<Place> places);  // at least one
  // `refusal` is a reply such as "556 5.1.10 …".
  void take_no_place(std::string_view refusal);
  [[nodiscard]] const std::string& domain() const { return domain_; }
  [[nodiscard]] const GateRoute& route() const { return routes_->find(domain_); }
  // Answers Effect::connect_upstream: returns the place to connect to.
  [[nodiscard]] const Place& place() const { return places_[place_]; }
  // There is no time for further places: the one that is being tried is the last.
  void try_no_more() { places_.resize(place_ + 1); }

  void answer_look_up(Answer answer) override;
  [[nodiscard]] bool gathers() const override { return step_ == Step::gathering; }
  void input_paused() override;

 private:
  // Says how far a transaction is.
  enum class Step {
    none,
    mail,       // MAIL has its reply, but there is no next hop yet
    gathering,  // collects RCPT commands
    settling,   // waits for the replies to the transaction before
    choosing,
    connecting,
    looking_up,
    asking,   // MAIL was sent on
    running,  // MAIL was accepted
    refused,  // there is no next hop, or it refused MAIL
  };
  struct Recipient {
    std::string line;
    bool elsewhere;  // belongs into a transaction of its own
  };
  struct Command {
    Verb verb = Verb::other;
    std::string line;
  };

  void take_command(Verb verb, std::string_view line) override;
  std::optional<Reply> take_reply(Awaited what, unsigned mark, Reply reply) override;
  void replied() override;
  [[nodiscard]] bool keeps_transaction() const override {
    return step_ != Step::none && step_ != Step::refused;
  }
  void upstream_ready(const Reply& hello) override;
  bool survive(std::string_view why) override;

  void take_hello(Verb verb);
  void take_mail(std::string_view line);
  void take_rcpt(std::string_view line);
  void take_data(std::string_view line);
  void take_reset();
  void take_quit(std::string_view line);

  void begin();
  void choose();
  void try_place();
  void proceed();
  void ask(const std::optional<Onward>& onward);
  void take_mail_reply(unsigned mark, Reply reply);
  void send_recipients();
  void refuse(std::string reply);
  void refuse_tagged(std::string_view reply);
  void end_transaction();
  void leave();
  [[nodiscard]] bool goes_elsewhere(std::string_view domain) const;

  std::shared_ptr<const GateRoutes> routes_;
  Step step_ = Step::none;
  std::string mail_;                  // MAIL without fold and MTRK
  std::string domain_;                // of the first recipient
  std::string key_;                   // GateRoutes::key() of domain_
  std::deque<Recipient> recipients_;  // not yet sent on or answered
  std::optional<Command> next_;       // the command that ended the gathering
  std::string refusal_;
  bool transferring_ = false;  // MAIL was accepted with MTRK=

  std::string connected_key_;  // the next hop with which we have a session
  bool reused_ = false;        // that session was made for an earlier transaction
  Extensions offered_;
  std::vector<Place> places_;
  std::size_t place_ = 0;
};

}  // namespace mtrk::smtp

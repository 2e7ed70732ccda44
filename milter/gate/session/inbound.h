#pragma once

#include "milter/gate/session/client_identity.h"
#include "milter/gate/session/proxy_session.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

// This is the gate before a mail system that does not know RFC 3885. It announces MTRK, takes MTRK=
// off MAIL and hands it on inside ENVID (common/track/mail_params.h), and changes nothing else. If
// the mail system announces MTRK itself, everything passes unchanged.
namespace mtrk::smtp {

class GateInboundSession : public ProxySession {
 public:
  enum class Identify { proxy, xclient, none };
  struct Options {
    Settings settings;
    Identify identify = Identify::proxy;
    bool tls_offered = false;
    // AUTH may be used before STARTTLS. The mail system cannot decide that, because it sees no TLS.
    bool auth_in_clear = false;
  };
  GateInboundSession(Options options, ClientIdentity client);

  // These are for the log.
  [[nodiscard]] std::uint64_t folded() const { return folded_; }
  // Counts MTRK that cannot be honoured.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  // Says why MTRK was last dropped or refused.
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] const std::string& helo() const { return helo_; }

 private:
  void take_command(Verb verb, std::string_view line) override;
  std::optional<Reply> take_reply(Awaited what, unsigned mark, Reply reply) override;
  [[nodiscard]] std::string upstream_preamble() override;
  [[nodiscard]] bool needs_identity() const override;
  [[nodiscard]] std::optional<std::string> identity_command(const Reply& ehlo) override;
  void forget_client() override;

  void take_mail(std::string_view line);
  void take_bdat(std::string_view line);
  void forget_untracked();
  void note_untracked(unsigned mark, const Reply& reply);
  [[nodiscard]] bool auth_allowed() const;
  [[nodiscard]] Reply rewrite(const Reply& ehlo);

  Options options_;
  ClientIdentity client_;
  bool folds_ = false;     // we have announced MTRK
  bool chunking_ = false;  // CHUNKING was announced to the client
  std::string helo_;

  // An Untracked is a message whose MTRK is not honoured, and why. It is logged with the queue id
  // that the server's reply names. Its mark is never 0.
  struct Untracked {
    unsigned mark;
    std::string why;
  };
  std::deque<Untracked> untracked_;
  // This is the mark of the transaction under way; 0 if its MTRK is honoured or there is none.
  unsigned transaction_ = 0;
  unsigned last_mark_ = 0;

  std::uint64_t folded_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t refused_ = 0;
  std::string why_;
};

}  // namespace mtrk::smtp

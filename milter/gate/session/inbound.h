#pragma once

#include "milter/gate/session/client_identity.h"
#include "milter/gate/session/proxy_session.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

// The gate in front of a mail system that does not know RFC 3885: announces MTRK, takes MTRK= off
// MAIL and hands it on inside ENVID (common/track/mail_params.h), and is otherwise not there. Where
// the mail system announces MTRK itself, nothing is touched.
namespace mtrk::smtp {

class GateInboundSession : public ProxySession {
 public:
  enum class Identify { proxy, xclient, none };
  struct Options {
    Settings settings;
    Identify identify = Identify::proxy;
    bool tls_offered = false;
    // AUTH may be used before STARTTLS. The mail system cannot know: for it nothing is encrypted.
    bool auth_in_clear = false;
  };
  GateInboundSession(Options options, ClientIdentity client);

  // For the log.
  [[nodiscard]] std::uint64_t folded() const { return folded_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }  // MTRK that cannot be honoured
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] const std::string& why() const { return why_; }  // the last one of these
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
  bool folds_ = false;     // MTRK was announced by us
  bool chunking_ = false;  // CHUNKING was announced to the client
  std::string helo_;

  // Messages whose MTRK is not honoured, and why: the line of the log has the queue id that the
  // server's reply tells. Their marks are never 0.
  struct Untracked {
    unsigned mark;
    std::string why;
  };
  std::deque<Untracked> untracked_;
  unsigned transaction_ = 0;  // the mark of the one that is under way; 0 = it is as it should be
  unsigned last_mark_ = 0;

  std::uint64_t folded_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t refused_ = 0;
  std::string why_;
};

}  // namespace mtrk::smtp

#pragma once

#include "common/base/expected.h"
#include "common/smtp/reply.h"
#include "mtqpd/mtqp/send/scram.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// SMTP AUTH, RFC 4954, from the client's side, without I/O.
namespace mtrk::cli {

// Wiped when it goes; neither is ever shown, logged or stored.
struct Credentials {
  std::string user;
  std::string password;

  Credentials(std::string user_name, std::string secret)
      : user(std::move(user_name)), password(std::move(secret)) {}
  Credentials(Credentials&&) = default;
  Credentials& operator=(Credentials&&) = default;
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
  ~Credentials();
};

// What the answer to EHLO offers, in capitals.
[[nodiscard]] std::vector<std::string> auth_mechanisms(const smtp::Reply& ehlo);

enum class Mechanism { scram_sha_256, plain, login };
// The best that is offered: SCRAM-SHA-256, which shows the server no password and lets it prove
// that it knows it; PLAIN and LOGIN only where TLS keeps the password from others.
[[nodiscard]] std::optional<Mechanism> choose_mechanism(const std::vector<std::string>& offered,
                                                        bool confidential);
[[nodiscard]] std::string_view to_string(Mechanism mechanism);

// One login. Lines are without CRLF and secret, the caller wipes them.
class AuthExchange {
 public:
  // `nonce`: printable octets without a comma, never used before.
  AuthExchange(Mechanism mechanism, const Credentials& credentials, std::string nonce);

  [[nodiscard]] std::string command();  // AUTH ...
  // What to answer to the text of a 334. Fails: a challenge that does not belong here.
  [[nodiscard]] Expected<std::string> answer(std::string_view challenge);
  // After a 235: false if the server did not prove what the mechanism wants it to prove.
  [[nodiscard]] bool complete() const;

 private:
  Mechanism mechanism_;
  const Credentials& credentials_;
  int answers_ = 0;
  std::optional<ScramClient> scram_;
};

}  // namespace mtrk::cli

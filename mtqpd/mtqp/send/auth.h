#pragma once

#include "common/base/expected.h"
#include "common/smtp/reply.h"
#include "mtqpd/mtqp/send/scram.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The client's side of SMTP AUTH (RFC 4954) is here, without I/O.
namespace mtrk::cli {

// Credentials are wiped when the object ends. Neither member is ever shown, logged or stored.
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

// Returns the mechanisms that the answer to EHLO offers, in capitals.
[[nodiscard]] std::vector<std::string> auth_mechanisms(const smtp::Reply& ehlo);

enum class Mechanism { scram_sha_256, plain, login };
// Returns the best mechanism that is offered. SCRAM-SHA-256 is preferred: it shows the server no
// password, and the server proves that it knows the password. PLAIN and LOGIN are chosen only where
// TLS keeps the password confidential.
[[nodiscard]] std::optional<Mechanism> choose_mechanism(const std::vector<std::string>& offered,
                                                        bool confidential);
[[nodiscard]] std::string_view to_string(Mechanism mechanism);

// An AuthExchange is one login. Its lines come without CRLF and hold secrets, so the caller wipes
// them.
class AuthExchange {
 public:
  // `nonce` is printable octets without a comma that were never used before.
  AuthExchange(Mechanism mechanism, const Credentials& credentials, std::string nonce);

  [[nodiscard]] std::string command();  // AUTH …
  // Returns the answer to the text of a 334 reply, or an error if the challenge does not belong
  // here.
  [[nodiscard]] Expected<std::string> answer(std::string_view challenge);
  // To be called after a 235 reply. Returns false if the server has not proved what the mechanism
  // requires of it.
  [[nodiscard]] bool complete() const;

 private:
  Mechanism mechanism_;
  const Credentials& credentials_;
  int answers_ = 0;
  std::optional<ScramClient> scram_;
};

}  // namespace mtrk::cli

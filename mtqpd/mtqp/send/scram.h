#pragma once

#include "common/base/expected.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace mtrk::cli {

// A ScramClient is the client's side of SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677).
// Pure. Passwords are sent as they are: SASLprep, which is not done here, leaves those of ASCII
// unchanged.
class ScramClient {
 public:
  static constexpr std::uint32_t kMinIterations = 4096;  // RFC 7677 §4
  // More than this is refused, so that a server cannot keep the client busy.
  static constexpr std::uint32_t kMaxIterations = 1'000'000;

  ScramClient(std::string_view user, std::string_view password, std::string nonce);
  ScramClient(const ScramClient&) = delete;
  ScramClient& operator=(const ScramClient&) = delete;
  ~ScramClient();

  [[nodiscard]] std::string first() const;
  // Returns the answer to the server's first message. Returns an error if that message is
  // malformed, has an extension or a nonce that does not begin with ours, or asks for too few or
  // too many iterations.
  [[nodiscard]] Expected<std::string> final(std::string_view server_first);
  // Returns true if the server's last message proves that it knows the password.
  [[nodiscard]] bool verify(std::string_view server_final);
  [[nodiscard]] bool verified() const { return verified_; }

 private:
  std::string first_bare_;
  std::string password_;
  std::string nonce_;
  std::string server_signature_;  // the one that verify() expects, in base64
  bool verified_ = false;
};

}  // namespace mtrk::cli

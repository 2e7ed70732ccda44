#pragma once

#include "common/base/expected.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace mtrk::cli {

// SCRAM-SHA-256 without channel binding, the client's side: RFC 5802, RFC 7677. Pure. Passwords of
// ASCII only are the same with and without SASLprep; others are sent as they are.
class ScramClient {
 public:
  static constexpr std::uint32_t kMinIterations = 4096;       // RFC 7677 §4
  static constexpr std::uint32_t kMaxIterations = 1'000'000;  // a server may not keep us busy

  ScramClient(std::string_view user, std::string_view password, std::string nonce);
  ScramClient(const ScramClient&) = delete;
  ScramClient& operator=(const ScramClient&) = delete;
  ~ScramClient();

  [[nodiscard]] std::string first() const;
  // The answer to the server's first message. Fails: malformed, a nonce that is not ours, an
  // extension, too few or too many iterations.
  [[nodiscard]] Expected<std::string> final(std::string_view server_first);
  // True if the server's last message proves that it knows the password.
  [[nodiscard]] bool verify(std::string_view server_final);
  [[nodiscard]] bool verified() const { return verified_; }

 private:
  std::string first_bare_;
  std::string password_;
  std::string nonce_;
  std::string server_signature_;  // of the message that verify() waits for, in base64
  bool verified_ = false;
};

}  // namespace mtrk::cli

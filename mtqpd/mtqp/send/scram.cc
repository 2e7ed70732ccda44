#include "mtqpd/mtqp/send/scram.h"

#include "common/base/ascii.h"
#include "common/base/wipe.h"
#include "common/track/base64.h"
#include "common/track/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <optional>

namespace mtrk::cli {
namespace {

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Digest32 hmac(std::string_view key, std::string_view message) {
  Digest32 result{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets(message), message.size(),
       result.data(), &size);
  return result;
}

// This is Hi() of RFC 5802 §2.2.
std::optional<Digest32> salted(std::string_view password,
                               std::string_view salt,
                               std::uint32_t iterations) {
  Digest32 result{};
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), octets(salt),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                        static_cast<int>(result.size()), result.data()) != 1) {
    return std::nullopt;
  }
  return result;
}

// Makes a "saslname", in which commas and equals signs are escaped.
std::string escape_name(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    escaped += c == '=' ? "=3D" : c == ',' ? "=2C" : std::string(1, c);
  }
  return escaped;
}

// Takes "x=value" off the front of comma-separated attributes, and returns the value.
std::optional<std::string_view> take(std::string_view& rest, char attribute) {
  if (rest.size() < 2 || rest[0] != attribute || rest[1] != '=') {
    return std::nullopt;
  }
  const std::size_t end = std::min(rest.find(','), rest.size());
  const std::string_view value = rest.substr(2, end - 2);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return value;
}

constexpr std::string_view kNoBinding = "n,,";

}  // namespace

ScramClient::ScramClient(std::string_view user, std::string_view password, std::string nonce)
    : first_bare_("n=" + escape_name(user) + ",r=" + nonce),
      password_(password),
      nonce_(std::move(nonce)) {}

ScramClient::~ScramClient() {
  wipe(password_);
}

std::string ScramClient::first() const {
  return std::string(kNoBinding) + first_bare_;
}

Expected<std::string> ScramClient::final(std::string_view server_first) {
  std::string_view rest = server_first;
  const auto nonce = take(rest, 'r');
  const auto salt_text = take(rest, 's');
  const auto iterations_text = take(rest, 'i');
  const Expected<std::string> salt = decode_base64(salt_text.value_or(""));
  const auto iterations = parse_number<std::uint32_t>(iterations_text.value_or(""));
  if (!nonce || !salt_text || !salt || salt->empty() || !iterations) {
    return fail(ErrorCode::syntax, "the server's part of the login is malformed");
  }
  if (!nonce->starts_with(nonce_) || nonce->size() == nonce_.size()) {
    return fail(ErrorCode::not_allowed, "the server answers another login");
  }
  if (*iterations < kMinIterations || *iterations > kMaxIterations) {
    return fail(ErrorCode::out_of_range, "the server wants an unreasonable login");
  }
  const std::optional<Digest32> key = salted(password_, *salt, *iterations);
  if (!key) {
    return fail(ErrorCode::unsupported, "OpenSSL has no PBKDF2 with SHA-256");
  }
  std::string message = "c=" + encode_base64(kNoBinding, Padding::with) + ",r=";
  message += *nonce;
  const std::string auth_message = first_bare_ + "," + std::string(server_first) + "," + message;
  const Digest32 client_key = hmac(as_text(*key), "Client Key");
  Digest32 proof = hmac(as_text(sha256(as_text(client_key))), auth_message);
  for (std::size_t i = 0; i < proof.size(); ++i) {
    proof[i] = static_cast<std::uint8_t>(proof[i] ^ client_key[i]);
  }
  const Digest32 server_key = hmac(as_text(*key), "Server Key");
  server_signature_ =
      encode_base64(as_text(hmac(as_text(server_key), auth_message)), Padding::with);
  return message + ",p=" + encode_base64(as_text(proof), Padding::with);
}

bool ScramClient::verify(std::string_view server_final) {
  const auto signature = take(server_final, 'v');
  verified_ = signature && !server_signature_.empty() &&
              signature->size() == server_signature_.size() &&
              CRYPTO_memcmp(signature->data(), server_signature_.data(), signature->size()) == 0;
  return verified_;
}

}  // namespace mtrk::cli

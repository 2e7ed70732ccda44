#include "mtqpd/mtqp/send/auth.h"

#include "common/base/ascii.h"
#include "common/base/wipe.h"
#include "common/track/base64.h"

#include <algorithm>

namespace mtrk::cli {
namespace {

std::string to_upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  }
  return upper;
}

std::string base64_of(std::string secret) {
  std::string text = encode_base64(secret, Padding::with);
  wipe(secret);
  return text;
}

std::string plain_message(const Credentials& credentials) {
  std::string message;
  message.reserve(credentials.user.size() + credentials.password.size() + 2);
  message.append(1, '\0').append(credentials.user).append(1, '\0').append(credentials.password);
  return base64_of(std::move(message));
}

Unexpected surprise() {
  return fail(ErrorCode::syntax, "the server asks for something at the login that has no answer");
}

}  // namespace

Credentials::~Credentials() {
  wipe(user);
  wipe(password);
}

std::vector<std::string> auth_mechanisms(const smtp::Reply& ehlo) {
  std::vector<std::string> mechanisms;
  for (std::size_t i = 1; i < ehlo.lines.size(); ++i) {
    std::string_view line = ehlo.lines[i];
    if (!istarts_with(line, "AUTH ") &&
        !istarts_with(line, "AUTH=")) {  // old servers write the latter
      continue;
    }
    line.remove_prefix(5);
    while (!(line = trim(line)).empty()) {
      const std::size_t end = std::min(line.find(' '), line.size());
      mechanisms.push_back(to_upper(line.substr(0, end)));
      line.remove_prefix(end);
    }
  }
  return mechanisms;
}

std::string_view to_string(Mechanism mechanism) {
  switch (mechanism) {
    case Mechanism::scram_sha_256:
      return "SCRAM-SHA-256";
    case Mechanism::plain:
      return "PLAIN";
    case Mechanism::login:
      break;
  }
  return "LOGIN";
}

std::optional<Mechanism> choose_mechanism(const std::vector<std::string>& offered,
                                          bool confidential) {
  for (const Mechanism one : {Mechanism::scram_sha_256, Mechanism::plain, Mechanism::login}) {
    const bool may = confidential || one == Mechanism::scram_sha_256;
    if (may && std::find(offered.begin(), offered.end(), to_string(one)) != offered.end()) {
      return one;
    }
  }
  return std::nullopt;
}

AuthExchange::AuthExchange(Mechanism mechanism, const Credentials& credentials, std::string nonce)
    : mechanism_(mechanism), credentials_(credentials) {
  if (mechanism == Mechanism::scram_sha_256) {
    scram_.emplace(credentials.user, credentials.password, std::move(nonce));
  }
}

std::string AuthExchange::command() {
  std::string line = "AUTH " + std::string(to_string(mechanism_));
  switch (mechanism_) {
    case Mechanism::scram_sha_256:
      return line + " " + encode_base64(scram_->first(), Padding::with);
    case Mechanism::plain:
      return line + " " + plain_message(credentials_);
    case Mechanism::login:
      break;
  }
  return line;
}

Expected<std::string> AuthExchange::answer(std::string_view challenge) {
  ++answers_;
  // The challenges are "Username:" and "Password:".
  if (mechanism_ == Mechanism::login && answers_ <= 2) {
    return base64_of(answers_ == 1 ? credentials_.user : credentials_.password);
  }
  if (mechanism_ != Mechanism::scram_sha_256 || answers_ > 2) {
    return surprise();
  }
  const Expected<std::string> message = decode_base64(trim(challenge));
  if (!message) {
    return surprise();
  }
  if (answers_ == 1) {
    Expected<std::string> final = scram_->final(*message);
    return final ? Expected<std::string>(base64_of(std::move(*final))) : final;
  }
  if (!scram_->verify(*message)) {
    return fail(ErrorCode::not_allowed, "the server does not know the password it asks for");
  }
  return std::string();
}

bool AuthExchange::complete() const {
  return mechanism_ != Mechanism::scram_sha_256 || scram_->verified();
}

}  // namespace mtrk::cli

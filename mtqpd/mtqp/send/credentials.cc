#include "mtqpd/mtqp/send/credentials.h"

#include "common/base/ascii.h"
#include "common/base/wipe.h"
#include "mtqpd/mtqp/base/state_file.h"

#include <string.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

namespace mtrk::cli {
namespace {

constexpr char kVariable[] = "MTQP_SMTP_PASSWORD";
constexpr std::streamsize kMaxLine = 4096;
constexpr std::size_t kMaxNetrc = 1UL << 20U;

Expected<std::string> read_first_line(const std::string& path) {
  std::ifstream in;
  in.rdbuf()->pubsetbuf(nullptr, 0);  // no copy of the password in a stream buffer
  in.open(path, std::ios::binary);
  if (!in) {
    return fail(ErrorCode::not_allowed, path + ": " + ::strerror(errno));
  }
  std::string buffer(kMaxLine, '\0');
  in.getline(buffer.data(), kMaxLine);
  const bool cut = in.fail() && in.gcount() == kMaxLine - 1;
  std::string line(buffer.c_str());
  wipe(buffer);
  if (cut) {
    wipe(line);
    return fail(ErrorCode::too_long, path + ": its first line is too long for a password");
  }
  if (!line.empty() && line.back() == '\r') {
    line.pop_back();
  }
  if (line.empty()) {
    return fail(ErrorCode::syntax, path + ": its first line is empty");
  }
  return line;
}

// Takes the next word, which ends at white space. Inside "..." a word may hold blanks, and a
// backslash makes the octet after it part of the word.
std::string next_word(std::string_view& rest) {
  const std::size_t begin = rest.find_first_not_of(" \t\r\n");
  rest.remove_prefix(std::min(begin, rest.size()));
  std::string word;
  bool quoted = false;
  while (!rest.empty() &&
         (quoted || std::string_view(" \t\r\n").find(rest.front()) == std::string_view::npos)) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"' && (quoted || word.empty())) {
      quoted = !quoted;
    } else if (c == '\\' && quoted && !rest.empty()) {
      word += rest.front();
      rest.remove_prefix(1);
    } else {
      word += c;
    }
  }
  return word;
}

}  // namespace

std::optional<std::string> find_in_netrc(std::string_view text,
                                         std::string_view host,
                                         std::string_view user) {
  bool host_matches = false;
  std::string login;
  std::string password;
  std::optional<std::string> found;
  const auto end_entry = [&] {
    if (!found && host_matches && !password.empty() && login == user) {
      found = password;
    }
    wipe(password);
    login.clear();
  };
  while (!text.empty()) {
    const std::string word = next_word(text);
    if (word == "machine" || word == "default") {
      end_entry();
      host_matches = word == "default" || iequals(next_word(text), host);
    } else if (word == "login") {
      login = next_word(text);
    } else if (word == "password") {
      password = next_word(text);
    } else if (word == "account") {
      static_cast<void>(next_word(text));
    } else if (word == "macdef") {  // a macro ends at an empty line
      text.remove_prefix(std::min(text.find("\n\n"), text.size()));
    } else if (!word.empty() && word.front() == '#') {
      text.remove_prefix(std::min(text.find('\n'), text.size()));
    }
  }
  end_entry();
  return found;
}

Expected<Credentials> read_credentials(const std::string& user,
                                       const std::string& host,
                                       const std::string& password_file) {
  if (!password_file.empty()) {
    Expected<std::string> password = read_first_line(password_file);
    if (!password) {
      return Unexpected(std::move(password.error()));
    }
    return Credentials(user, std::move(*password));
  }
  if (char* value = std::getenv(kVariable); value != nullptr) {  // NOLINT(concurrency-mt-unsafe)
    std::string password(value);
    ::explicit_bzero(value, ::strlen(value));
    ::unsetenv(kVariable);  // NOLINT(concurrency-mt-unsafe)
    return Credentials(user, std::move(password));
  }
  const char* home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe)
  std::string netrc =
      home == nullptr ? std::string() : read_private(std::string(home) + "/.netrc", kMaxNetrc);
  std::optional<std::string> password = find_in_netrc(netrc, host, user);
  wipe(netrc);
  if (!password) {
    return fail(ErrorCode::syntax,
                "no password: give --password-file or $MTQP_SMTP_PASSWORD, or keep it in ~/.netrc");
  }
  return Credentials(user, std::move(*password));
}

}  // namespace mtrk::cli

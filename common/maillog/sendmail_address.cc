#include "common/base/ascii.h"
#include "common/maillog/sendmail_record.h"

#include <cstdint>

// This file reads escapes, addresses and intervals as Sendmail's log has them.
namespace mtrk::maillog {
namespace {

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// Returns the value of the escape whose backslash precedes text[i], and moves i past it.
char unescape(std::string_view text, std::size_t& i) {
  const char c = text[i];
  if (i + 2 < text.size() && c <= '3' && is_octal(c) && is_octal(text[i + 1]) &&
      is_octal(text[i + 2])) {
    const int value = (c - '0') * 64 + (text[i + 1] - '0') * 8 + (text[i + 2] - '0');
    i += 3;
    return static_cast<char>(value);
  }
  ++i;
  return c == 't' ? '\t' : c == 'n' || c == 'r' ? '\n' : c;
}

// Returns whether this is an escape like "\u001b", "\x0d" or "\e", which comes from a program that
// copied the log, not from Sendmail.
bool is_escape_of_others(char c) {
  return c == 'u' || c == 'x' || c == 'e';
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

}  // namespace

void decode_log_text(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size();) {
    char c = text[i++];
    if (c == '\\' && i < text.size() && !is_escape_of_others(text[i])) {
      c = unescape(text, i);
    }
    out += is_control(c) ? '?' : c;
  }
}

std::optional<std::string_view> take_sendmail_address(std::string_view& text) {
  // A program, a file or an include has no brackets.
  const bool plain = !text.empty() && (text[0] == '|' || text[0] == '/' || text[0] == ':');
  bool quoted = false;
  bool bracketed = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      continue;
    } else if (c == '<' && !plain) {
      bracketed = true;
    } else if (c == '>') {
      bracketed = false;
    } else if (c == ',' && !bracketed) {
      break;
    }
  }
  if (quoted || bracketed) {
    return std::nullopt;
  }
  const std::string_view address = text.substr(0, i);
  text.remove_prefix(i);
  return address;
}

SendmailAddress without_brackets(std::string_view address) {
  const bool bracketed = address.size() >= 2 && address.front() == '<' && address.back() == '>';
  return {bracketed ? address.substr(1, address.size() - 2) : address, bracketed};
}

std::vector<std::string_view> sendmail_targets(std::string_view targets, std::size_t most) {
  std::vector<std::string_view> members;
  while (!targets.empty() && members.size() < most) {
    const std::optional<std::string_view> member = take_sendmail_address(targets);
    const std::string_view name = trim(member.value_or(targets));
    if (!name.empty()) {
      members.push_back(name);
    }
    if (!member) {
      break;  // the log has cut it
    }
    targets.remove_prefix(targets.empty() ? 0 : 1);
  }
  return members;
}

std::optional<Seconds> sendmail_interval(std::string_view text) {
  constexpr std::int64_t kMostDays = 9999;
  std::int64_t days = 0;
  if (const std::size_t plus = text.find('+'); plus != std::string_view::npos) {
    const std::optional<std::uint32_t> number = parse_number<std::uint32_t>(text.substr(0, plus));
    if (!number || *number > kMostDays) {
      return std::nullopt;
    }
    days = *number;
    text.remove_prefix(plus + 1);
  }
  if (text.size() != 8) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 3 == 2 ? text[i] != ':' : !is_digit(text[i])) {
      return std::nullopt;
    }
  }
  const auto two = [text](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  return Seconds(((days * 24 + two(0)) * 60 + two(3)) * 60 + two(6));
}

}  // namespace mtrk::maillog

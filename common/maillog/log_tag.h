#pragma once

#include "common/base/ascii.h"
#include "common/base/octets.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

// The tag of a syslog line, "postfix/smtp[1]: ", octets eight at a time.
namespace mtrk::maillog {

struct LogTag {
  std::string_view program;
  std::uint32_t pid = 0;
};

// How long the program's name at the front of `text` is.
[[nodiscard]] inline std::size_t program_length(std::string_view text) {
  std::size_t i = 0;
  for (; i + octets::kWord <= text.size(); i += octets::kWord) {
    const std::uint64_t word = octets::load(text.data() + i);
    const std::uint64_t ends =
        octets::equal_to(word, '[') | octets::equal_to(word, ':') | octets::equal_to(word, ' ');
    if (ends != 0) {
      return i + octets::before_first(ends);
    }
  }
  while (i < text.size() && text[i] != '[' && text[i] != ':' && text[i] != ' ') {
    ++i;
  }
  return i;
}

// The digits at the front of `text`, however many, modulo 2³².
[[nodiscard]] inline std::uint32_t take_pid(std::string_view& text) {
  std::uint32_t pid = 0;
  if (text.size() >= octets::kWord) {
    std::uint64_t word = octets::load(text.data());
    const std::size_t digits =
        octets::before_first(~octets::between(word, '0', '9') & octets::kHigh);
    if (digits > 0 && digits < octets::kWord) {
      // Leading zeros instead of what follows; then two, four and eight digits are made one number.
      word <<= 8 * (octets::kWord - digits);
      word = (word & 0x0F0F0F0F0F0F0F0F) * 2561 >> 8;
      word = (word & 0x00FF00FF00FF00FF) * 6553601 >> 16;
      word = (word & 0x0000FFFF0000FFFF) * 42949672960001 >> 32;
      text.remove_prefix(digits);
      return static_cast<std::uint32_t>(word);
    }
  }
  while (!text.empty() && is_digit(text[0])) {
    pid = pid * 10 + static_cast<std::uint32_t>(text[0] - '0');
    text.remove_prefix(1);
  }
  return pid;
}

// "postfix/smtp[1]: " or "postfix/smtp: "; false, and nothing taken, if it is neither.
[[nodiscard]] inline bool take_tag(std::string_view& text, LogTag& tag) {
  std::string_view rest = text;
  const std::string_view program(rest.data(), program_length(rest));
  rest.remove_prefix(program.size());
  std::uint32_t pid = 0;
  if (!rest.empty() && rest[0] == '[') {
    rest.remove_prefix(1);
    pid = take_pid(rest);
    if (rest.empty() || rest[0] != ']') {
      return false;
    }
    rest.remove_prefix(1);
  }
  if (program.empty() || rest.size() < 2 || rest[0] != ':' || rest[1] != ' ') {
    return false;
  }
  text = rest.substr(2);
  tag = {program, pid};
  return true;
}

}  // namespace mtrk::maillog

#include "milter/ctl/setup/sendmail_mc.h"

#include "common/base/ascii.h"

#include <fmt/format.h>

#include <cstddef>

namespace mtrk::setup {
namespace {

constexpr std::string_view kFrom =
    "dnl # Message tracking: `mtrkctl setup sendmail' added these lines, `mtrkctl setup --undo' "
    "takes them out.\n";
constexpr std::string_view kTo = "dnl # End of message tracking.\n";
constexpr int kLogLevel = 11;
constexpr int kMilterLogLevel = 9;

// Returns the number that define(`name', `N') gives last, or -1.
int defined_level(std::string_view file, std::string_view name) {
  int level = -1;
  const std::string begin = fmt::format("define(`{}'", name);
  for (std::size_t at = file.find(begin); at != std::string_view::npos;
       at = file.find(begin, at + 1)) {
    const std::size_t line = file.rfind('\n', at) + 1;  // 0 if there is none
    if (trim(file.substr(line, at - line)).starts_with("dnl")) {
      continue;
    }
    std::size_t from = at + begin.size();
    while (from < file.size() && !is_digit(file[from]) && file[from] != ')') {
      ++from;
    }
    std::size_t to = from;
    while (to < file.size() && is_digit(file[to])) {
      ++to;
    }
    level = parse_number<int>(file.substr(from, to - from)).value_or(level);
  }
  return level;
}

// Finds the first line that begins with MAILER, because mailers come last in sendmail.mc.
std::size_t find_mailers(std::string_view file) {
  for (std::size_t begin = 0; begin < file.size();) {
    const std::string_view line = file.substr(begin);
    if (line.starts_with("MAILER_DEFINITIONS") || line.starts_with("MAILER(")) {
      return begin;
    }
    const std::size_t feed = file.find('\n', begin);
    begin = feed == std::string_view::npos ? file.size() : feed + 1;
  }
  return std::string_view::npos;
}

}  // namespace

bool has_filter_by_hand(std::string_view file) {
  const std::string rest = detach_sendmail_mc(file);
  for (const std::string_view word :
       {"INPUT_MAIL_FILTER(`mtrk'", "MAIL_FILTER(`mtrk'", "/mtrk.m4'"}) {
    for (std::size_t at = rest.find(word); at != std::string::npos; at = rest.find(word, at + 1)) {
      const std::size_t line = rest.rfind('\n', at) + 1;
      if (!trim(std::string_view(rest).substr(line, at - line)).starts_with("dnl")) {
        return true;
      }
    }
  }
  return false;
}

Expected<std::string> attach_sendmail_mc(std::string_view file, std::string_view socket) {
  const std::string clean = detach_sendmail_mc(file);
  const std::size_t at = find_mailers(clean);
  if (at == std::string::npos) {
    return fail(ErrorCode::syntax,
                "has no line that begins with MAILER, before which the filter goes");
  }
  std::string block(kFrom);
  // There is no F=, because a filter that is away must never cost a message. See
  // contrib/sendmail/mtrk.m4.
  block +=
      fmt::format("INPUT_MAIL_FILTER(`mtrk', `S=local:{}, T=C:2s;S:2s;R:2s;E:5s')dnl\n", socket);
  if (defined_level(clean, "confLOG_LEVEL") < kLogLevel) {
    block += fmt::format("define(`confLOG_LEVEL', `{}')dnl\n", kLogLevel);
    if (defined_level(clean, "confMILTER_LOG_LEVEL") < 0) {
      block += fmt::format("define(`confMILTER_LOG_LEVEL', `{}')dnl\n", kMilterLogLevel);
    }
  }
  block += kTo;
  return clean.substr(0, at) + block + clean.substr(at);
}

std::string detach_sendmail_mc(std::string_view file) {
  const std::size_t from = file.find(kFrom);
  const std::size_t to = file.find(kTo, from == std::string_view::npos ? 0 : from);
  if (from == std::string_view::npos || to == std::string_view::npos) {
    return std::string(file);
  }
  return std::string(file.substr(0, from)).append(file.substr(to + kTo.size()));
}

}  // namespace mtrk::setup

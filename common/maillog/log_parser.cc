#include "common/maillog/log_parser.h"

#include <algorithm>

namespace mtrk::maillog {
namespace {

// Returns whether this is a program with a service: "postfix/smtp", "postfix-out/smtp".
bool is_postfix(std::string_view program) {
  return program.find('/') != std::string_view::npos && program.substr(0, 7) == "postfix";
}

std::optional<Mta> mta_of(const LogLine& line) {
  if (is_postfix(line.program)) {
    return Mta::postfix;
  }
  std::string_view text = line.text;
  if (!take_sendmail_id(text).empty() &&
      (text.substr(0, 5) == "from=" || text.substr(0, 3) == "to=")) {
    return Mta::sendmail;
  }
  LogParser postfix(Mta::postfix);
  const auto nothing = [](const DeliveryEvent&) {};
  return postfix.parse(line, nothing) == LineKind::events ? std::optional(Mta::postfix)
                                                          : std::nullopt;
}

}  // namespace

std::optional<Mta> guess_mta(std::string_view lines, const StampContext& stamps) {
  StampMemo memo;
  while (!lines.empty()) {
    const std::size_t feed = std::min(lines.find('\n'), lines.size());
    const std::optional<LogLine> line = split_log_line(lines.substr(0, feed), stamps, &memo);
    lines.remove_prefix(std::min(feed + 1, lines.size()));
    if (const std::optional<Mta> mta = line ? mta_of(*line) : std::nullopt) {
      return mta;
    }
  }
  return std::nullopt;
}

}  // namespace mtrk::maillog

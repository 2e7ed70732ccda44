#include "common/smtp/reply.h"

#include "common/base/ascii.h"

#include <utility>

namespace mtrk::smtp {

std::string Reply::text() const {
  std::string text = std::to_string(code);
  for (const std::string& line : lines) {
    text.append(" ").append(line);
  }
  return text;
}

void ReplyParser::feed(std::string_view bytes) {
  if (begin_ == buffer_.size()) {
    buffer_.clear();
    begin_ = scanned_ = 0;
  }
  buffer_.append(bytes);
}

Expected<std::optional<Reply>> ReplyParser::next() {
  if (failed_) {
    return fail(ErrorCode::syntax, "the server broke the protocol before");
  }
  while (true) {
    const std::size_t lf = buffer_.find('\n', scanned_);
    const std::size_t end = lf == std::string::npos ? buffer_.size() : lf;
    if (end - begin_ > kMaxLine) {
      failed_ = true;
      return fail(ErrorCode::too_long, "a reply line is over 2048 octets");
    }
    if (lf == std::string::npos) {
      scanned_ = buffer_.size();
      return std::optional<Reply>();
    }
    std::string_view line(buffer_.data() + begin_, lf - begin_);
    if (!line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
    }
    begin_ = scanned_ = lf + 1;
    Expected<bool> complete = take_line(line);
    if (!complete) {
      failed_ = true;
      return Unexpected(std::move(complete.error()));
    }
    if (*complete) {
      return std::optional<Reply>(std::exchange(partial_, Reply()));
    }
  }
}

Expected<bool> ReplyParser::take_line(std::string_view line) {
  const auto code = parse_number<int>(line.substr(0, 3));
  const char separator = line.size() > 3 ? line[3] : ' ';
  if (line.size() < 3 || !is_digit(line[0]) || !code || *code < 200 || *code > 599 ||
      (separator != ' ' && separator != '-')) {
    return fail(ErrorCode::syntax, "not an SMTP reply: " + escape_for_people(line, 80));
  }
  if (!partial_.lines.empty() && partial_.code != *code) {
    return fail(ErrorCode::syntax, "one reply with two codes: " + escape_for_people(line, 80));
  }
  if (partial_.lines.size() == kMaxLines) {
    return fail(ErrorCode::too_long, "a reply of more than 256 lines");
  }
  partial_.code = *code;
  partial_.lines.emplace_back(line.size() > 4 ? line.substr(4) : std::string_view());
  return separator == ' ';
}

}  // namespace mtrk::smtp

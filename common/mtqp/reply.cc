#include "common/mtqp/reply.h"

#include "common/base/ascii.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mtrk::mtqp {
namespace {

constexpr std::array<std::pair<std::string_view, ReplyStatus>, 4> kIndicators{
    {{"+OK", ReplyStatus::ok},
     {"-TEMP", ReplyStatus::temp},
     {"-ERR", ReplyStatus::err},
     {"-BAD", ReplyStatus::bad}}};

bool is_name_char(char c) {
  return is_alnum(c) || c == '-' || c == '_';
}

bool take_indicator(std::string_view& rest, ReplyStatus& status) {
  for (const auto& [word, value] : kIndicators) {
    if (istarts_with(rest, word)) {
      rest.remove_prefix(word.size());
      status = value;
      return true;
    }
  }
  return false;
}

// Takes all items of the form "/" 1*NAMECHAR.
bool take_info(std::string_view& rest, std::vector<std::string>& info) {
  while (!rest.empty() && rest.front() == '/') {
    rest.remove_prefix(1);
    const auto end = std::find_if_not(rest.begin(), rest.end(), is_name_char);
    if (end == rest.begin()) {
      return false;
    }
    const auto length = static_cast<std::size_t>(end - rest.begin());
    info.emplace_back(rest.substr(0, length));
    rest.remove_prefix(length);
  }
  return true;
}

}  // namespace

bool Reply::has_info(std::string_view word) const {
  return std::any_of(info.begin(), info.end(),
                     [&](const std::string& item) { return iequals(item, word); });
}

Expected<Reply> parse_status_line(std::string_view line) {
  Reply reply;
  std::string_view rest = line;
  if (!take_indicator(rest, reply.status)) {
    return fail(ErrorCode::syntax, "no status indicator: " + escape_for_people(line, 80));
  }
  if (reply.status == ReplyStatus::ok && !rest.empty() && rest.front() == '+') {
    rest.remove_prefix(1);
    reply.body.emplace();
  }
  if (!take_info(rest, reply.info) || (!rest.empty() && !is_wsp(rest.front()))) {
    return fail(ErrorCode::syntax, "malformed reply: " + escape_for_people(line, 80));
  }
  reply.text = trim(rest);
  return reply;
}

void append_stuffed(std::string& out, std::string_view body) {
  while (!body.empty()) {
    if (body.front() == '.') {
      out.push_back('.');
    }
    // One append copies everything up to a line that starts with a dot.
    const std::size_t dot_line = body.find("\n.");
    const std::size_t length = dot_line == std::string_view::npos ? body.size() : dot_line + 1;
    out.append(body, 0, length);
    if (length == body.size() && !body.ends_with("\r\n")) {
      out.append("\r\n");
    }
    body.remove_prefix(length);
  }
  out.append(".\r\n");
}

ReplyParser::ReplyParser(std::size_t max_body) : max_body_(max_body) {}

void ReplyParser::feed(std::string_view bytes) {
  lines_.feed(bytes);
}

Expected<std::optional<Reply>> ReplyParser::next() {
  if (error_) {
    return Unexpected(*error_);
  }
  while (const std::optional<LineBuffer::Line> line = lines_.next()) {
    if (line->kind == LineBuffer::Kind::too_long) {
      return give_up(ErrorCode::too_long, "a line over 998 octets");
    }
    if (line->kind == LineBuffer::Kind::malformed) {
      return give_up(ErrorCode::syntax, "a line with bare CR, LF or NUL");
    }
    if (!partial_) {
      Expected<Reply> reply = parse_status_line(line->text);
      if (!reply) {
        return give_up(reply.error().code, std::move(reply.error().detail));
      }
      if (!reply->body) {
        return std::optional<Reply>(std::move(*reply));
      }
      partial_ = std::move(*reply);
      continue;
    }
    if (line->text == ".") {
      return std::exchange(partial_, std::nullopt);
    }
    const std::string_view data = line->text.substr(line->text.starts_with('.') ? 1 : 0);
    if (partial_->body->size() + data.size() + 2 > max_body_) {
      return give_up(ErrorCode::too_long, "an answer over the limit");
    }
    partial_->body->append(data).append("\r\n");
  }
  if (lines_.line_started() && lines_.pending() == 0) {
    return give_up(ErrorCode::too_long, "a line over 998 octets");  // its end does not matter
  }
  return std::optional<Reply>();
}

std::size_t ReplyParser::pending() const {
  return lines_.pending() + (partial_ ? 1 : 0);
}

Unexpected ReplyParser::give_up(ErrorCode code, std::string detail) {
  error_ = Error{code, std::move(detail)};
  partial_.reset();
  return Unexpected(*error_);
}

}  // namespace mtrk::mtqp

#include "common/maillog/json_frame.h"

#include "common/base/ascii.h"
#include "common/base/time.h"
#include "common/maillog/line_ends.h"

#include <boost/json.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>

namespace mtrk::maillog {
namespace {

using boost::json::object;
using boost::json::value;

constexpr std::size_t kDepth = 8;

std::string_view view_of(const boost::json::string& text) {
  return {text.data(), text.size()};
}

// Returns text unchanged, numbers as digits, and also decodes what journalctl writes for octets
// that are not UTF-8.
std::string text_of(const value& member) {
  if (member.is_string()) {
    return std::string(view_of(member.get_string()));
  }
  if (member.is_int64() || member.is_uint64()) {
    return boost::json::serialize(member);
  }
  std::string octets;
  if (member.is_array()) {
    for (const value& octet : member.get_array()) {
      if (!octet.is_int64() || octet.get_int64() < 0 || octet.get_int64() > 255) {
        return {};
      }
      octets += static_cast<char>(octet.get_int64());
    }
  }
  return octets;
}

// Returns the text of the first of these members that exists and has one.
std::string member_of(const object& members, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const value* member = members.if_contains({name.data(), name.size()});
    if (std::string text = member != nullptr ? text_of(*member) : std::string(); !text.empty()) {
      return text;
    }
  }
  return {};
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_vchar);
}

// Returns "STAMP " from the members that hold the time. That of the journal is in microseconds.
std::string stamp_of(const object& members) {
  const std::string micros =
      member_of(members, {"_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"});
  if (const auto number = parse_number<std::int64_t>(micros); number && *number > 0) {
    return format_rfc3339(LogTime(Microseconds(*number))) + " ";
  }
  const std::string text =
      member_of(members, {"time", "timestamp", "@timestamp", "ts", "TIMESTAMP", "ISODATE", "DATE",
                          "timereported", "timegenerated", "date"});
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), is_printable);
  return plain ? text + " " : std::string();
}

std::string host_of(const object& members) {
  const std::string host =
      member_of(members, {"_HOSTNAME", "host", "hostname", "HOST", "HOSTNAME"});
  return is_word(host) ? host + " " : std::string();
}

std::string tag_of(const object& members) {
  std::string program =
      member_of(members, {"SYSLOG_IDENTIFIER", "program", "PROGRAM", "programname", "ident",
                          "appname", "app-name", "APP-NAME", "app_name", "syslogtag", "tag"});
  if (program.ends_with(':')) {
    program.pop_back();
  }
  if (!is_word(program)) {
    return {};
  }
  const std::string pid =
      member_of(members, {"SYSLOG_PID", "_PID", "pid", "PID", "procid", "PROCID"});
  if (parse_number<std::uint32_t>(pid) && !program.ends_with(']')) {
    program += "[" + pid + "]";
  }
  return program + ": ";
}

}  // namespace

bool decode_json_frame(std::string_view json, std::string& line) {
  boost::json::parse_options limits;
  limits.max_depth = kDepth;
  boost::json::error_code error;
  const value parsed = boost::json::parse({json.data(), json.size()}, error, {}, limits);
  const object* members = error ? nullptr : parsed.if_object();
  if (members == nullptr) {
    return false;
  }
  const std::string text =
      member_of(*members, {"MESSAGE", "log", "message", "msg", "textPayload", "line"});
  const std::string_view message = cut_before_record(record_of(text));
  if (message.empty()) {
    return false;
  }
  line = stamp_of(*members) + host_of(*members) + tag_of(*members);
  const auto begin = static_cast<std::ptrdiff_t>(line.size());
  line += message;
  std::replace_if(
      line.begin() + begin, line.end(),
      [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; }, '?');
  return true;
}

}  // namespace mtrk::maillog

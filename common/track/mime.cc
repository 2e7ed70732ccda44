#include "common/track/mime.h"

#include "common/base/ascii.h"
#include "common/track/field_reader.h"

#include <algorithm>

namespace mtrk {
namespace {

// Removes the value of a parameter from the front of `rest` and returns it: a quoted string, or all
// up to ';' or a blank.
std::string take_parameter_value(std::string_view& rest) {
  if (rest.empty() || rest.front() != '"') {
    const std::string_view token = rest.substr(0, rest.find_first_of("; \t"));
    rest.remove_prefix(token.size());
    return std::string(token);
  }
  std::string value;
  std::size_t i = 1;
  for (; i < rest.size() && rest[i] != '"'; ++i) {
    if (rest[i] == '\\' && i + 1 < rest.size()) {
      ++i;
    }
    value += rest[i];
  }
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return value;
}

enum class Delimiter { none, part, close };

Delimiter delimiter_of(std::string_view line, std::string_view boundary) {
  if (line.substr(0, 2) != "--" || line.substr(2, boundary.size()) != boundary) {
    return Delimiter::none;
  }
  std::string_view after = line.substr(2 + boundary.size());
  const bool close = after.substr(0, 2) == "--";
  after.remove_prefix(close ? 2 : 0);
  if (!trim(after).empty()) {
    return Delimiter::none;
  }
  return close ? Delimiter::close : Delimiter::part;
}

std::string_view without_last_line_end(std::string_view part) {
  if (!part.empty() && part.back() == '\n') {
    part.remove_suffix(1);
    if (!part.empty() && part.back() == '\r') {
      part.remove_suffix(1);
    }
  }
  return part;
}

}  // namespace

ContentType parse_content_type(std::string_view value) {
  ContentType type;
  const std::size_t end = value.find_first_of("; \t(");
  type.media_type = to_lower(value.substr(0, end));
  std::string_view rest = value.substr(std::min(end, value.size()));
  for (;;) {
    const std::size_t semicolon = rest.find(';');
    if (semicolon == std::string_view::npos) {
      return type;
    }
    rest.remove_prefix(semicolon + 1);
    const std::size_t equals = rest.find_first_of("=;");
    if (equals == std::string_view::npos || rest[equals] == ';') {
      continue;
    }
    const std::string_view name = trim(rest.substr(0, equals));
    rest = trim(rest.substr(equals + 1));
    std::string parameter = take_parameter_value(rest);
    if (type.boundary.empty() && iequals(name, "boundary")) {
      type.boundary = std::move(parameter);
    }
  }
}

Entity split_entity(std::string_view entity) {
  FieldReader reader(entity);
  ContentType type;
  while (reader.next() == FieldReader::Item::field) {
    if (type.media_type.empty() && iequals(reader.name(), "Content-Type")) {
      type = parse_content_type(reader.value());
    }
  }
  return {std::move(type), reader.rest()};
}

Expected<std::vector<std::string_view>> split_multipart(std::string_view body,
                                                        std::string_view boundary,
                                                        std::size_t limit) {
  std::vector<std::string_view> parts;
  std::string_view rest = body;
  const char* start = nullptr;  // start of the part that is being read
  while (!rest.empty()) {
    const char* const line_start = rest.data();
    const Delimiter delimiter = delimiter_of(take_line(rest), boundary);
    if (delimiter == Delimiter::none) {
      continue;
    }
    if (start != nullptr) {
      parts.push_back(without_last_line_end({start, static_cast<std::size_t>(line_start - start)}));
    }
    if (delimiter == Delimiter::close) {
      return parts;
    }
    if (parts.size() == limit) {
      return fail(ErrorCode::too_long, "too many body parts");
    }
    start = rest.data();
  }
  if (start != nullptr) {
    parts.emplace_back(start, static_cast<std::size_t>(body.data() + body.size() - start));
  }
  return parts;
}

}  // namespace mtrk

#include "common/smtp/command.h"

#include "common/base/ascii.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace mtrk::smtp {
namespace {

constexpr std::size_t kMaxChunkDigits = 18;  // prevents an overflow of sums of sizes

std::size_t skip_blanks(std::string_view line, std::size_t at) {
  while (at < line.size() && is_wsp(line[at])) {
    ++at;
  }
  return at;
}

// Returns the end of the path that begins at `at`: the position after its ">" or, if it has no
// brackets, that of the next blank. Returns nothing if a quote or bracket is not closed.
std::optional<std::size_t> end_of_path(std::string_view line, std::size_t at) {
  const bool bracketed = line[at] == '<';
  bool quoted = false;
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (quoted && c == '\\') {
      ++at;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && bracketed && c == '>') {
      return at + 1;
    } else if (!quoted && !bracketed && is_wsp(c)) {
      return at;
    }
  }
  return quoted || bracketed ? std::nullopt : std::optional(line.size());
}

}  // namespace

Verb verb_of(std::string_view line) {
  constexpr std::array<std::pair<std::string_view, Verb>, 13> kVerbs{
      {{"EHLO", Verb::ehlo},
       {"HELO", Verb::helo},
       {"LHLO", Verb::lhlo},
       {"MAIL", Verb::mail},
       {"RCPT", Verb::rcpt},
       {"DATA", Verb::data},
       {"BDAT", Verb::bdat},
       {"RSET", Verb::rset},
       {"QUIT", Verb::quit},
       {"AUTH", Verb::auth},
       {"STARTTLS", Verb::starttls},
       {"XCLIENT", Verb::xclient},
       {"XFORWARD", Verb::xforward}}};
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  const auto* known = std::find_if(kVerbs.begin(), kVerbs.end(),
                                   [&](const auto& verb) { return iequals(verb.first, word); });
  return known == kVerbs.end() ? Verb::other : known->second;
}

bool has_plain_verb(std::string_view line) {
  const auto* const end =
      std::find_if_not(line.begin(), line.end(), [](char c) { return is_alnum(c) || c == '-'; });
  return !line.empty() && is_alpha(line.front()) && (end == line.end() || is_wsp(*end));
}

const Parameter* PathCommand::find(std::string_view keyword) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(), [&](const Parameter& one) {
    return iequals(one.keyword, keyword);
  });
  return found == parameters.end() ? nullptr : &*found;
}

std::size_t PathCommand::count(std::string_view keyword) const {
  const auto number =
      std::count_if(parameters.begin(), parameters.end(),
                    [&](const Parameter& one) { return iequals(one.keyword, keyword); });
  return static_cast<std::size_t>(number);
}

Expected<PathCommand> parse_path_command(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return fail(ErrorCode::syntax, "no colon");
  }
  const std::size_t begin = skip_blanks(line, colon + 1);
  if (begin == line.size()) {
    return fail(ErrorCode::syntax, "no path");
  }
  const std::optional<std::size_t> end = end_of_path(line, begin);
  if (!end) {
    return fail(ErrorCode::syntax, "a path without its end");
  }
  PathCommand command;
  command.path = line.substr(begin, *end - begin);
  if (command.path.front() == '<') {
    command.path = command.path.substr(1, command.path.size() - 2);
  }
  std::size_t at = *end;
  while (at < line.size()) {
    Parameter parameter;
    parameter.begin = at;
    const std::size_t word = skip_blanks(line, at);
    if (word == at && at == *end) {
      return fail(ErrorCode::syntax, "no blank behind the path");
    }
    if (word == line.size()) {
      break;
    }
    parameter.end = std::min(line.find_first_of(" \t", word), line.size());
    const std::string_view text = line.substr(word, parameter.end - word);
    const std::size_t equals = std::min(text.find('='), text.size());
    parameter.keyword = text.substr(0, equals);
    parameter.value = equals == text.size() ? std::string_view() : text.substr(equals + 1);
    command.parameters.push_back(parameter);
    at = parameter.end;
  }
  return command;
}

Expected<Chunk> parse_bdat(std::string_view line) {
  const std::size_t begin = skip_blanks(line, 4);  // after the verb
  const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
  const std::string_view digits = line.substr(begin, end - begin);
  const std::optional<std::uint64_t> octets =
      digits.size() > kMaxChunkDigits ? std::nullopt : parse_number<std::uint64_t>(digits);
  const std::string_view rest = trim(line.substr(end));
  if (!octets || (!rest.empty() && !iequals(rest, "LAST"))) {
    return fail(ErrorCode::syntax, "not BDAT <octets> [LAST]");
  }
  return Chunk{*octets, !rest.empty()};
}

}  // namespace mtrk::smtp

// This is the only file in which toml::parse_error is caught: Debian's toml++ is a shared library
// that throws.
#include "common/base/ascii.h"
#include "common/config/config_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace mtrk {

namespace {

constexpr int kMostSyntaxErrors = 20;

struct Line {
  std::size_t begin = 0;
  std::size_t length = 0;
};

Line find_line(std::string_view text, std::size_t number) {
  std::size_t begin = 0;
  for (std::size_t i = 1; i < number; ++i) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) {
      return {text.size(), 0};
    }
    begin = end + 1;
  }
  return {begin, std::min(text.find('\n', begin), text.size()) - begin};
}

// Returns whether the value merely lacks its quotes, as in `socket = unix:/x`, `default = 9d` or
// `listen = [127.0.0.1:0]`. This is the most common mistake, and is complete on its line.
bool lacks_quotes(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) {
    return false;
  }
  std::string_view value = line.substr(equals + 1);
  value = trim(value.substr(0, value.find_first_of("#\r")));
  return !value.empty() && value.find_first_of("\"'{") == std::string_view::npos &&
         value.starts_with('[') == value.ends_with(']');
}

std::string_view hint_for_line(std::string_view line) {
  if (lacks_quotes(line)) {
    return " (strings need quotes)";
  }
  const bool open = std::count(line.begin(), line.end(), '"') % 2 != 0;
  return open ? " (is a closing quote missing?)" : "";
}

// Returns the description of toml++ ("Error while parsing value: could not determine …") without
// what file:line:column already says.
std::string describe(const toml::parse_error& error) {
  std::string_view text = error.description();
  if (text.starts_with("Error while parsing ")) {
    const std::size_t colon = text.find(": ");
    text.remove_prefix(colon == std::string_view::npos ? 0 : colon + 2);
  }
  return escape_for_people(text, 200);
}

// Parses `text`, and blanks each line that merely lacks quotes, so that one mistake does not hide
// the next ones. Any other syntax error ends the parsing, because the text after it could mean
// anything.
std::optional<toml::table> parse_toml(std::string text, std::vector<ConfigProblem>& problems) {
  for (int i = 0; i < kMostSyntaxErrors; ++i) {
    try {
      return toml::parse(std::string_view(text));
    } catch (const toml::parse_error& error) {
      const toml::source_position at = error.source().begin;
      const Line line = find_line(text, at.line);
      const std::string_view content = std::string_view(text).substr(line.begin, line.length);
      problems.push_back({at, describe(error).append(hint_for_line(content))});
      if (!lacks_quotes(content)) {
        return std::nullopt;
      }
      std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(line.begin), line.length, ' ');
    }
  }
  return std::nullopt;
}

}  // namespace

Expected<Config> parse_config(std::string_view text, std::string_view name) {
  Config config;
  std::vector<ConfigProblem> problems;
  if (const auto root = parse_toml(std::string(text), problems); root) {
    ConfigReader(config, problems).read(*root);
  }
  if (problems.empty()) {
    return config;
  }
  // toml++ sorts tables by key, but the reader expects the order of the file.
  std::stable_sort(problems.begin(), problems.end(), [](const auto& a, const auto& b) {
    return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
  });
  std::string lines;
  for (const ConfigProblem& problem : problems) {
    lines += fmt::format("{}{}:{}:{}: {}", lines.empty() ? "" : "\n", name, problem.at.line,
                         problem.at.column, problem.message);
  }
  return fail(ErrorCode::syntax, std::move(lines));
}

}  // namespace mtrk

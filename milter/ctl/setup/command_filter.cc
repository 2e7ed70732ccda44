#include "milter/ctl/setup/command_filter.h"

#include "common/base/ascii.h"

namespace mtrk::setup {
namespace {

constexpr std::string_view kFrom =
    "# Message tracking: `mtrkctl setup postfix` added these rules, `mtrkctl setup --undo` takes "
    "them out.\n";
constexpr std::string_view kTo = "# End of message tracking.\n";

// Calls `take` with each rule of the table.
template <typename Take>
void each_rule(Take take) {
  std::string_view rest = command_filter_file();
  while (!rest.empty()) {
    const std::size_t feed = rest.find('\n');
    const std::string_view line = rest.substr(0, feed);
    if (line.starts_with('/')) {
      take(line);
    }
    rest.remove_prefix(feed == std::string_view::npos ? rest.size() : feed + 1);
  }
}

}  // namespace

std::string inline_command_filter() {
  std::string value = "regexp:{";
  each_rule([&](std::string_view rule) {
    value += value.ends_with('{') ? "\n  { " : ",\n  { ";
    for (const char c : rule) {
      value.append(c == '$' ? 2 : 1, c);
    }
    value += " }";
  });
  return value + " }";
}

bool is_our_command_filter(std::string_view value) {
  return value.find(";MTRK:") != std::string_view::npos ||
         value.ends_with("/mtrk-command-filter.regexp");
}

std::string with_our_rules(std::string_view table) {
  std::string text(kFrom);
  each_rule([&](std::string_view rule) { text.append(rule).push_back('\n'); });
  text += kTo;
  return text + without_our_rules(table);
}

std::string without_our_rules(std::string_view table) {
  const std::size_t from = table.find(kFrom);
  const std::size_t to = table.find(kTo, from == std::string_view::npos ? 0 : from);
  if (from == std::string_view::npos || to == std::string_view::npos) {
    return std::string(table);
  }
  return std::string(table.substr(0, from)).append(table.substr(to + kTo.size()));
}

std::optional<std::string> rules_file(std::string_view value) {
  value = trim(value);
  for (const std::string_view type : {"regexp:", "pcre:"}) {
    if (value.starts_with(type) && value.substr(type.size()).starts_with('/') &&
        value.find_first_of(" \t,{}$") == std::string_view::npos) {
      return std::string(value.substr(type.size()));
    }
  }
  return std::nullopt;
}

}  // namespace mtrk::setup

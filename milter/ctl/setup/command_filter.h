#pragma once

#include <optional>
#include <string>
#include <string_view>

// These are the rules that carry MTRK= through Postfix (contrib/postfix/mtrk-command-filter.regexp,
// which is compiled in), and the places where they may stand: in main.cf itself, or at the top of a
// table that the administrator already has. smtpd_command_filter takes one table, and if a table
// cannot be opened Postfix answers 421 to every client. So mail flow never depends on a file of
// ours.
namespace mtrk::setup {

// Returns the table as it is in contrib/postfix, with its comments.
[[nodiscard]] std::string_view command_filter_file();

// Returns the rules as the value of a parameter of main.cf, over several lines: regexp:{ {rule},
// ... }, with each "$" doubled (Postfix 3.7).
[[nodiscard]] std::string inline_command_filter();

// Returns whether a value of smtpd_command_filter is our rules or begins with them.
[[nodiscard]] bool is_our_command_filter(std::string_view value);

// These return the administrator's table with our rules before his own, and without our rules.
[[nodiscard]] std::string with_our_rules(std::string_view table);
[[nodiscard]] std::string without_our_rules(std::string_view table);

// Returns the file of a table that can take our rules, from "regexp:/path" or "pcre:/path". Returns
// nothing for any other value.
[[nodiscard]] std::optional<std::string> rules_file(std::string_view value);

}  // namespace mtrk::setup

#pragma once

#include <optional>
#include <string>
#include <string_view>

// The rules that carry MTRK= through Postfix (contrib/postfix/mtrk-command-filter.regexp, which is
// compiled in) and the places where they may stand: in main.cf itself, or at the top of a table
// that the administrator has. smtpd_command_filter takes one table, and with a table that cannot be
// opened Postfix answers 421 to every client; so no file of ours is ever needed for mail to flow.
namespace mtrk::setup {

// The table as it is in contrib/postfix, with its comments.
[[nodiscard]] std::string_view command_filter_file();

// As the value of a parameter of main.cf, over several lines: regexp:{ {rule}, ... }, each "$"
// doubled (Postfix 3.7).
[[nodiscard]] std::string inline_command_filter();

// Whether a value of smtpd_command_filter is, or begins with, our rules.
[[nodiscard]] bool is_our_command_filter(std::string_view value);

// A table of the administrator's with our rules before his, and without them.
[[nodiscard]] std::string with_our_rules(std::string_view table);
[[nodiscard]] std::string without_our_rules(std::string_view table);

// The file of a table in which our rules can stand: "regexp:/path" and "pcre:/path".
[[nodiscard]] std::optional<std::string> rules_file(std::string_view value);

}  // namespace mtrk::setup

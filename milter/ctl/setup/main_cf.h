#pragma once

#include "common/base/expected.h"
#include "milter/ctl/setup/logical_lines.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// These functions treat main.cf(5) as text: they find, insert and remove what attaches mtrk-milter.
// Pure.
namespace mtrk::setup {

struct Parameter {
  std::string name;
  std::string value;  // without surrounding blanks
  LogicalLine line;
  std::size_t value_begin = 0;  // in line.text; for an empty value, after the "="
  std::size_t value_end = 0;
};

// Returns all parameters in their order. If a name occurs more than once, the last one counts.
// Fails for a line without "=".
[[nodiscard]] Expected<std::vector<Parameter>> parse_main_cf(std::string_view file);
[[nodiscard]] const Parameter* find_parameter(const std::vector<Parameter>& parameters,
                                              std::string_view name);

struct Attachment {
  std::string milter;                  // the value of mtrk_milter
  std::vector<std::string> addresses;  // of the socket, as a list may write them (milter_list.h)
  bool command_filter = true;  // if false, the administrator's own stays (or gets our rules itself)
};

// Returns main.cf with our milter as the last one of smtpd_milters, our command filter, and long
// queue ids unless the file decides about them already. It replaces what was ours before, so
// applying it twice is the same as once. Everything new stands in one block at the end of the file
// and in the list of milters.
[[nodiscard]] Expected<std::string> attach_main_cf(std::string_view file,
                                                   const Attachment& attachment);

// Returns main.cf without anything of ours, even if it was written by hand. The result for a file
// from attach_main_cf() is the original file, octet for octet, except that a missing line feed at
// its end was added.
[[nodiscard]] Expected<std::string> detach_main_cf(std::string_view file,
                                                   const std::vector<std::string>& addresses);

}  // namespace mtrk::setup

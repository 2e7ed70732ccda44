#pragma once

#include "common/base/expected.h"
#include "milter/ctl/setup/logical_lines.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// main.cf(5) as text: found in it, put into it and taken out of it what attaches mtrk-milter. Pure.
namespace mtrk::setup {

struct Parameter {
  std::string name;
  std::string value;  // without the blanks around it
  LogicalLine line;
  std::size_t value_begin = 0;  // in line.text; where it is empty, behind the "="
  std::size_t value_end = 0;
};

// All parameters in their order; the last one of a name is the one that counts. Fails for a line
// without "=".
[[nodiscard]] Expected<std::vector<Parameter>> parse_main_cf(std::string_view file);
[[nodiscard]] const Parameter* find_parameter(const std::vector<Parameter>& parameters,
                                              std::string_view name);

struct Attachment {
  std::string milter;                  // the value of mtrk_milter
  std::vector<std::string> addresses;  // of the socket, as a list may name it: milter_list.h
  bool command_filter = true;  // false: the administrator's own stays (or gets our rules itself)
};

// main.cf with our milter as the last one of smtpd_milters, our command filter, and long queue ids
// unless they are decided already. What was ours before is replaced: twice is the same as once. All
// that is new in the file stands in a block of its own, at its end, and in the list of milters.
[[nodiscard]] Expected<std::string> attach_main_cf(std::string_view file,
                                                   const Attachment& attachment);

// main.cf without anything of ours, also where it was written by hand. What attach_main_cf() made
// comes out as the octets it was given, but for a line feed at the end that was missing.
[[nodiscard]] Expected<std::string> detach_main_cf(std::string_view file,
                                                   const std::vector<std::string>& addresses);

}  // namespace mtrk::setup

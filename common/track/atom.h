#pragma once

#include "common/base/ascii.h"

#include <algorithm>
#include <string_view>

namespace mtrk {

// An atom of RFC 822 §3.3 is printable ASCII without blanks and without the specials ()<>@,;:\".[]
// Address types, types of MTA names and field names are atoms.
[[nodiscard]] constexpr bool is_atom_char(char c) {
  constexpr std::string_view kSpecials = "()<>@,;:\\\".[]";
  return is_alnum(c) || (is_vchar(c) && kSpecials.find(c) == std::string_view::npos);
}
[[nodiscard]] inline bool is_atom(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_atom_char);
}

}  // namespace mtrk

#include "common/config/byte_size.h"

#include "common/base/ascii.h"

#include <limits>

namespace mtrk {

namespace {

struct Unit {
  std::string_view name;
  unsigned shift;
};
constexpr Unit kUnits[] = {{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}, {"", 0}};

}  // namespace

Expected<std::uint64_t> parse_byte_size(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) {
    ++digits;
  }
  for (const Unit& unit : kUnits) {
    if (digits == 0 || text.substr(digits) != unit.name) {
      continue;
    }
    const auto count = parse_number<std::uint64_t>(text.substr(0, digits));
    if (!count || *count > (std::numeric_limits<std::uint64_t>::max() >> unit.shift)) {
      return fail(ErrorCode::out_of_range,
                  "size out of range: \"" + escape_for_people(text, 64) + '"');
    }
    return *count << unit.shift;
  }
  return fail(ErrorCode::syntax, "not a size: \"" + escape_for_people(text, 64) +
                                     "\" (write it like \"16GiB\" or \"512MiB\"; units are KiB, "
                                     "MiB, GiB, TiB or none)");
}

std::string format_byte_size(std::uint64_t octets) {
  for (const Unit& unit : kUnits) {
    const std::uint64_t count = octets >> unit.shift;
    if (count > 0 && (count << unit.shift) == octets) {
      return std::to_string(count).append(unit.name);
    }
  }
  return "0";
}

}  // namespace mtrk

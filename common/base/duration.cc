#include "common/base/ascii.h"
#include "common/base/time.h"

#include <cstdint>

namespace mtrk {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};

// The largest unit comes first, which is the order in which they are written.
constexpr Unit kUnits[] = {
    {"w", 7 * 24 * 3'600'000},
    {"d", 24 * 3'600'000},
    {"h", 3'600'000},
    {"m", 60'000},
    {"s", 1'000},
    {"ms", 1},
};

// The limit is a century: far above any use, and far below an overflow of the clocks it is added
// to.
constexpr std::int64_t kLongest = std::int64_t{36'525} * 24 * 3'600'000;

template <typename Predicate>
std::string_view take_while(std::string_view& text, Predicate matches) {
  std::size_t length = 0;
  while (length < text.size() && matches(text[length])) {
    ++length;
  }
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

Unexpected bad_duration(std::string_view text) {
  return fail(ErrorCode::syntax, "not a duration: \"" + escape_for_people(text, 64) +
                                     "\" (write it like \"9d\", \"1h30m\", \"90s\" or \"250ms\")");
}

}  // namespace

Expected<Milliseconds> parse_duration(std::string_view text) {
  std::string_view rest = text;
  std::int64_t total = 0;
  const Unit* next = std::begin(kUnits);  // units must descend, each at most once
  do {
    const std::string_view digits = take_while(rest, is_digit);
    const std::string_view name = take_while(rest, is_alpha);
    while (next != std::end(kUnits) && next->name != name) {
      ++next;
    }
    if (digits.empty() || next == std::end(kUnits)) {
      return bad_duration(text);
    }
    const std::optional<std::int64_t> count = parse_number<std::int64_t>(digits);
    if (!count || *count > (kLongest - total) / next->milliseconds) {
      return fail(ErrorCode::out_of_range,
                  "duration over 100 years: \"" + escape_for_people(text, 64) + '"');
    }
    total += *count * next->milliseconds;
    ++next;
  } while (!rest.empty());
  return Milliseconds(total);
}

std::string format_duration(Milliseconds duration) {
  // Weeks are read but not written, because "9d" is the common form.
  std::string out = duration < Milliseconds(0) ? "-" : "";
  auto rest = static_cast<std::uint64_t>(duration.count());
  if (duration < Milliseconds(0)) {
    rest = 0 - rest;
  }
  const std::size_t sign = out.size();
  for (const Unit& unit : kUnits) {
    const auto size = static_cast<std::uint64_t>(unit.milliseconds);
    if (unit.name != "w" && rest >= size) {
      out += std::to_string(rest / size);
      out += unit.name;
      rest %= size;
    }
  }
  return out.size() == sign ? "0s" : out;
}

}  // namespace mtrk

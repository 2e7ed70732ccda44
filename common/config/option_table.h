#pragma once

#include "common/config/config.h"

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>

// This is the only list of configuration keys. Reading, printing, the sample file and the tests of
// the manual page are driven by it: a new key is a new member of Config and one row in this table.
namespace mtrk {

// A ConfigMember returns the member of Config that holds a value. Its type determines how the value
// is written: std::uint64_t is an amount of octets ("16GiB"), and unsigned is a plain number.
using ConfigMember = std::variant<std::string& (*)(Config&),
                                  std::vector<std::string>& (*)(Config&),
                                  std::vector<CertificateFiles>& (*)(Config&),
                                  std::vector<GateDestination>& (*)(Config&),
                                  bool& (*)(Config&),
                                  unsigned& (*)(Config&),
                                  std::uint64_t& (*)(Config&),
                                  Seconds& (*)(Config&),
                                  Milliseconds& (*)(Config&),
                                  Mta& (*)(Config&),
                                  Forwarding& (*)(Config&)>;

// A TextCheck returns what is wrong with a string, or with one string of a list; it returns an
// empty string if nothing is.
using TextCheck = std::string (*)(const std::string& text);

// A ValueRange limits numbers, amounts of octets and durations (in milliseconds). Both ends are
// allowed.
struct ValueRange {
  std::uint64_t least = 0;
  std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
};

struct ConfigOption {
  std::string_view section;  // "milter", "gate.inbound"; empty = before the first section
  std::string_view key;
  ConfigMember member;
  std::string_view example;  // a value as in TOML
  std::string_view help;     // comment lines of the sample file
  TextCheck check = nullptr;
  ValueRange range{};
};

struct ConfigSection {
  std::string_view name;
  std::string_view help;
};

// Both functions return the order of the sample file.
[[nodiscard]] std::span<const ConfigOption> config_options();
[[nodiscard]] std::span<const ConfigSection> config_sections();

// Returns the name with its section, like "milter.socket", or without one, like "hostname".
[[nodiscard]] std::string full_name(const ConfigOption& option);

// A ConfigWord is one word of a value that has only a few.
template <typename T>
struct ConfigWord {
  std::string_view word;
  T value;
};
inline constexpr ConfigWord<Mta> kMtaWords[] = {{"postfix", Mta::postfix},
                                                {"sendmail", Mta::sendmail}};
inline constexpr ConfigWord<Forwarding> kForwardingWords[] = {
    {"hide", Forwarding::hide}, {"reveal", Forwarding::reveal}, {"final", Forwarding::final}};

}  // namespace mtrk

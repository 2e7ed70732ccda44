#pragma once

#include "common/config/config.h"

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>

// The one list of configuration keys. Reading, printing, the sample file and the tests of the
// manual page are driven by it: a new key is a member of Config and one row here.
namespace mtrk {

// Where the value lives. The type says how it is spelled: std::uint64_t is an amount of octets
// ("16GiB"), unsigned a plain number.
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

// For strings, and each string of a list: what is wrong with the text, or nothing.
using TextCheck = std::string (*)(const std::string& text);

// For numbers, octets and durations (in milliseconds), both ends included.
struct ValueRange {
  std::uint64_t least = 0;
  std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
};

struct ConfigOption {
  std::string_view section;  // "milter", "gate.inbound"; empty = before the first section
  std::string_view key;
  ConfigMember member;
  std::string_view example;  // as in TOML
  std::string_view help;     // lines of the sample file
  TextCheck check = nullptr;
  ValueRange range{};
};

struct ConfigSection {
  std::string_view name;
  std::string_view help;
};

// Both in the order of the sample file.
[[nodiscard]] std::span<const ConfigOption> config_options();
[[nodiscard]] std::span<const ConfigSection> config_sections();

// "milter.socket"; "hostname" before the first section.
[[nodiscard]] std::string full_name(const ConfigOption& option);

// Words of the values that are one of a few.
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

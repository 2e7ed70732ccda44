#pragma once

#include "common/config/config.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

// What every program's command line has in common: --config FILE, --check-config, --version, --help
// (the program's own parser fills this in). --help and --version go to standard output with exit
// code 0; a bad command line is exit_code::usage with one line on standard error; a bad
// configuration is exit_code::config with "file:line:column: message" lines.
namespace mtrk {

inline constexpr char kDefaultConfigPath[] = "/etc/mtrk/mtrk.conf";

struct ProgramOptions {
  std::optional<std::string> config_path;  // --config; nothing = kDefaultConfigPath
  bool check_config = false;               // --check-config: say what is wrong, or nothing, and end
};

// The configuration of a program. A file that --config names has to exist; the default file need
// not: built-in defaults then apply.
[[nodiscard]] Expected<Config> load_program_config(const std::optional<std::string>& config_path,
                                                   const std::string& default_path);

// What this program cannot do although the configuration is valid, as one line without newline, for
// example "chaining.enabled is not supported by this release"; empty = nothing.
using ConfigCheck = std::function<std::string(const Config&)>;

// Loads `config` and runs `check`. Nothing = go on; otherwise the program ends with this exit code,
// and the reason is on standard error (nothing is, if --check-config found nothing).
//   Config config;
//   if (const auto code = prepare_config("mtqpd", options, check, config)) { return *code; }
[[nodiscard]] std::optional<int> prepare_config(std::string_view program,
                                                const ProgramOptions& options,
                                                const ConfigCheck& check,
                                                Config& config);

// "mtqpd 0.1.0": what --version prints.
[[nodiscard]] std::string version_line(std::string_view program);

}  // namespace mtrk

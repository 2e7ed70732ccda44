#pragma once

#include "common/config/config.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

// These functions handle what the command lines of all programs have in common: --config FILE,
// --check-config, --version and --help (the program's own parser fills in ProgramOptions). --help
// and --version print to standard output and end with exit code 0. A bad command line ends with
// exit_code::usage and one line on standard error, a bad configuration with exit_code::config and
// lines "file:line:column: message".
namespace mtrk {

inline constexpr char kDefaultConfigPath[] = "/etc/mtrk/mtrk.conf";

struct ProgramOptions {
  std::optional<std::string> config_path;  // --config; nothing = kDefaultConfigPath
  bool check_config = false;               // --check-config: report what is wrong, and end
};

// Loads the configuration of a program. A file that --config names must exist; if the default file
// does not exist, the built-in defaults apply.
[[nodiscard]] Expected<Config> load_program_config(const std::optional<std::string>& config_path,
                                                   const std::string& default_path);

// A ConfigCheck says what the program cannot do although the configuration is valid, in one line
// without newline, for example "chaining.enabled is not supported by this release". It returns an
// empty string if there is nothing to say.
using ConfigCheck = std::function<std::string(const Config&)>;

// Loads `config` and runs `check`. Returns nothing if the program is to go on, and otherwise the
// exit code with which it must end. The reason is then on standard error, except that
// --check-config prints nothing if nothing is wrong.
//   Config config;
//   if (const auto code = prepare_config("mtqpd", options, check, config)) { return *code; }
[[nodiscard]] std::optional<int> prepare_config(std::string_view program,
                                                const ProgramOptions& options,
                                                const ConfigCheck& check,
                                                Config& config);

// Returns the line that --version prints, like "mtqpd 0.1.0".
[[nodiscard]] std::string version_line(std::string_view program);

}  // namespace mtrk

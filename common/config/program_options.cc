#include "common/config/program_options.h"

#include "common/base/exit_code.h"
#include "common/base/print_error.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "mtrk_version.h"

namespace mtrk {

Expected<Config> load_program_config(const std::optional<std::string>& config_path,
                                     const std::string& default_path) {
  if (config_path) {
    return load_config(*config_path);
  }
  std::error_code error;
  // The defaults apply only if the file does not exist; a file that cannot be examined is an error.
  if (std::filesystem::status(default_path, error).type() ==
      std::filesystem::file_type::not_found) {
    return Config{};
  }
  return load_config(default_path);
}

std::optional<int> prepare_config(std::string_view program,
                                  const ProgramOptions& options,
                                  const ConfigCheck& check,
                                  Config& config) {
  Expected<Config> loaded = load_program_config(options.config_path, kDefaultConfigPath);
  if (!loaded) {
    print_error("{}\n", loaded.error().detail);
    return exit_code::config;
  }
  if (const std::string complaint = check ? check(*loaded) : std::string(); !complaint.empty()) {
    print_error("{}: {}: {}\n", options.config_path.value_or(kDefaultConfigPath), program,
                complaint);
    return exit_code::config;
  }
  if (options.check_config) {
    return exit_code::ok;
  }
  config = std::move(*loaded);
  return std::nullopt;
}

std::string version_line(std::string_view program) {
  return fmt::format("{} {}", program, kVersion);
}

}  // namespace mtrk

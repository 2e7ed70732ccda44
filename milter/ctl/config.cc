#include "milter/ctl/config.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "common/base/print_error.h"

#include <fmt/format.h>

#include <string_view>

namespace mtrk {
namespace {

// Formats a value for scripts: a plain string loses its quotes, and everything else is as in TOML.
std::string_view unquoted(std::string_view value) {
  const bool plain = value.size() >= 2 && value.front() == '"' && value.back() == '"' &&
                     value.find('\\') == std::string_view::npos;
  return plain ? value.substr(1, value.size() - 2) : value;
}

}  // namespace

int run_config(const ConfigOptions& options) {
  if (!options.key) {
    fmt::print("{}", print_config(options.config, options.show));
    return exit_code::ok;
  }
  const std::string all = print_config(options.config, Show::all);
  const std::string prefix = *options.key + " = ";
  std::string_view rest = all;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (line.substr(0, prefix.size()) == prefix) {
      fmt::print("{}\n", unquoted(line.substr(prefix.size())));
      return exit_code::ok;
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  print_error("mtrkctl: no such key: {} (mtrkctl config --all shows them)\n",
              escape_for_people(*options.key, 64));
  return exit_code::usage;
}

}  // namespace mtrk

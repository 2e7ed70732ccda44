// Any octets as a configuration file: errors are lines that start with the file's name and a place;
// whatever is accepted prints as TOML that reads back as the same configuration.
#include "common/config/config.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void require_whole_lines(std::string_view errors) {
  while (!errors.empty()) {
    const std::string_view line = errors.substr(0, errors.find('\n'));
    require(line.starts_with("f:"));
    for (const char c : line) {
      require(c >= ' ' && c < '\x7f');
    }
    errors.remove_prefix(std::min(line.size() + 1, errors.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const mtrk::Expected<mtrk::Config> config = mtrk::parse_config(text, "f");
  if (!config) {
    require(!config.error().detail.empty());
    require_whole_lines(config.error().detail);
    return 0;
  }
  const std::string printed = mtrk::print_config(*config, mtrk::Show::all);
  const mtrk::Expected<mtrk::Config> back = mtrk::parse_config(printed, "f");
  require(back.has_value());
  require(mtrk::print_config(*back, mtrk::Show::all) == printed);
  return 0;
}

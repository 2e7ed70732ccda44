#include "milter/ctl/setup/config_edit.h"

#include "common/base/ascii.h"

#include <fmt/format.h>

#include <cstddef>

namespace mtrk::setup {
namespace {

bool is_key(std::string_view line, std::string_view key) {
  return line.starts_with(key) && trim(line.substr(key.size())).starts_with('=');
}

}  // namespace

std::string with_config_key(std::string_view file,
                            std::string_view section,
                            std::string_view key,
                            std::string_view value) {
  const std::string wanted = fmt::format("{} = {}\n", key, value);
  const std::string header = fmt::format("[{}]", section);
  bool in_section = false;
  std::size_t below = std::string_view::npos;  // where the key is inserted
  for (std::size_t begin = 0; begin < file.size();) {
    const std::size_t feed = file.find('\n', begin);
    const std::size_t end = feed == std::string_view::npos ? file.size() : feed + 1;
    std::string_view line = trim(file.substr(begin, end - begin));
    if (line.ends_with('\n')) {
      line = trim(line.substr(0, line.size() - 1));
    }
    if (line.starts_with('[')) {
      in_section = line == header;
      if (in_section) {
        below = end;
      }
    } else if (in_section && is_key(line, key)) {
      return fmt::format("{}{}{}", file.substr(0, begin), wanted, file.substr(end));
    } else if (in_section && line.starts_with('#') && is_key(line.substr(1), key)) {
      below = end;
    }
    begin = end;
  }
  const std::string_view feed = file.empty() || file.ends_with('\n') ? "" : "\n";
  if (below == std::string_view::npos) {
    return fmt::format("{}{}\n{}\n{}", file, feed, header, wanted);
  }
  if (below == file.size()) {
    return fmt::format("{}{}{}", file, feed, wanted);
  }
  return fmt::format("{}{}{}", file.substr(0, below), wanted, file.substr(below));
}

}  // namespace mtrk::setup

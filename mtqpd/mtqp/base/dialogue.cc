#include "mtqpd/mtqp/base/dialogue.h"

#include "common/base/ascii.h"
#include "common/base/print_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace mtrk::cli {

void print_dialogue(char direction, std::string_view bytes) {
  constexpr std::size_t kMaxShown = 1000;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view line = bytes.substr(0, end);
    if (!line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
    }
    print_error("{} {}\n", direction, escape_for_people(line, kMaxShown));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
}

}  // namespace mtrk::cli

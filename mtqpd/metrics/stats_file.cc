#include "mtqpd/metrics/stats_file.h"

#include "common/base/small_file.h"

#include <system_error>
#include <utility>

namespace mtrk::mtqpd {

std::string StatsFile::write(std::string_view text) {
  if (path_.empty()) {
    return {};
  }
  const int error = replace_small_file(path_, text, 0644);
  if (error == 0) {
    failed_ = false;
    return {};
  }
  return std::exchange(failed_, true) ? std::string()
                                      : path_ + ": " + std::generic_category().message(error);
}

}  // namespace mtrk::mtqpd

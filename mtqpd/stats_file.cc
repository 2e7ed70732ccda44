#include "mtqpd/stats_file.h"

#include "common/base/unique_fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace mtrk::mtqpd {
namespace {

bool replace_file(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".new";
  const UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) {
    return false;
  }
  const ssize_t written = ::write(file.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) {
    errno = written < 0 ? errno : ENOSPC;
    return false;
  }
  return std::rename(temporary.c_str(), path.c_str()) == 0;
}

}  // namespace

std::string StatsFile::write(std::string_view text) {
  if (path_.empty()) {
    return {};
  }
  if (replace_file(path_, text)) {
    failed_ = false;
    return {};
  }
  const int error = errno;
  return std::exchange(failed_, true) ? std::string()
                                      : path_ + ": " + std::generic_category().message(error);
}

}  // namespace mtrk::mtqpd

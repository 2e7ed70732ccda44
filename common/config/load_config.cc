#include "common/base/unique_fd.h"
#include "common/config/config.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace mtrk {

namespace {

constexpr std::size_t kLongestFile = std::size_t{1} << 20;

Unexpected cannot_read(const std::string& path, std::string_view why) {
  return fail(ErrorCode::syntax, path + ": cannot read: " + std::string(why));
}

}  // namespace

Expected<Config> load_config(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) {
    return cannot_read(path, std::generic_category().message(errno));
  }
  std::string text;
  char buffer[16384];
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n == 0) {
      return parse_config(text, path);
    }
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return cannot_read(path, std::generic_category().message(errno));
    }
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kLongestFile) {
      return cannot_read(path, "more than 1 MiB is no configuration");
    }
  }
}

}  // namespace mtrk

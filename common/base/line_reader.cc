#include "common/base/line_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace mtrk {
namespace {

constexpr std::size_t kReadAtOnce = std::size_t{64} << 10;

}  // namespace

UniqueFd open_input(const std::string& path) {
  return UniqueFd(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                              : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
}

std::optional<LineReader::Line> LineReader::next() {
  if (gave_up_) {
    return std::nullopt;
  }
  for (;;) {
    const char* const from = buffer_.data() + scanned_;
    const void* const feed = end_ > scanned_ ? std::memchr(from, '\n', end_ - scanned_) : nullptr;
    if (feed != nullptr) {
      const std::size_t at =
          scanned_ + static_cast<std::size_t>(static_cast<const char*>(feed) - from);
      const std::string_view text(buffer_.data() + begin_, at - begin_);
      const bool too_long = discarded_ > 0 || text.size() > longest_;
      begin_ = scanned_ = at + 1;
      discarded_ = 0;
      return Line{too_long ? std::string_view() : text, too_long};
    }
    scanned_ = end_;
    if (discarded_ > 0 || end_ - begin_ > longest_) {
      discarded_ += end_ - begin_;
      begin_ = scanned_ = end_ = 0;
      gave_up_ = discarded_ > longest_ + kEndless;
      if (gave_up_) {
        return Line{{}, true};
      }
    }
    if (!fill()) {
      break;
    }
  }
  const std::string_view rest(buffer_.data() + begin_, end_ - begin_);
  const bool too_long = std::exchange(discarded_, 0) > 0;
  begin_ = scanned_ = end_;
  return too_long || !rest.empty() ? std::optional(Line{rest, too_long}) : std::nullopt;
}

bool LineReader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    scanned_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() - end_ < kReadAtOnce) {
    buffer_.resize(end_ + 2 * kReadAtOnce);
  }
  for (;;) {
    const ssize_t n = ::read(fd_, buffer_.data() + end_, buffer_.size() - end_);
    if (n >= 0) {
      end_ += static_cast<std::size_t>(n);
      return n > 0;
    }
    if (errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "read");
    }
  }
}

}  // namespace mtrk

#include "milter/log/file.h"

#include "common/base/codec.h"
#include "milter/log/source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace mtrk {
namespace {

constexpr std::size_t kHead = 256;

struct stat status_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    throw std::system_error(errno, std::system_category(), "fstat of the log");
  }
  return status;
}

// Returns at most `limit` octets, from `offset` on.
std::string read_at(int fd, std::uint64_t offset, std::uint64_t limit) {
  std::string octets(static_cast<std::size_t>(limit), '\0');
  std::size_t filled = 0;
  while (filled < octets.size()) {
    const ssize_t got = ::pread(fd, octets.data() + filled, octets.size() - filled,
                                static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      throw std::system_error(errno, std::system_category(), "reading the log");
    }
    if (got == 0) {
      break;
    }
    filled += static_cast<std::size_t>(got);
  }
  octets.resize(filled);
  return octets;
}

}  // namespace

std::optional<LogFile> LogFile::open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) {
    return std::nullopt;
  }
  const struct stat status = status_of(fd.get());
  return LogFile(std::move(fd), {status.st_dev, status.st_ino});
}

bool LogFile::resume(const store::LogCursor& cursor) {
  const std::uint64_t now = size();
  std::string head = read_at(fd_.get(), 0, std::min<std::uint64_t>(cursor.head_octets, kHead));
  if (now < cursor.offset || head.size() != cursor.head_octets || crc32c(head) != cursor.head_crc) {
    return false;
  }
  head_ = std::move(head);
  offset_ = cursor.offset;
  learn_head();
  // The rest of a line must not be read as a line, because a stranger may have written it.
  skipping_ = offset_ > 0 && read_at(fd_.get(), offset_ - 1, 1) != "\n";
  return true;
}

void LogFile::skip_to_end() {
  const std::uint64_t now = size();
  const std::uint64_t tail = std::min<std::uint64_t>(now, LogSource::kMaxLine);
  const std::string last = read_at(fd_.get(), now - tail, tail);
  const std::size_t feed = last.rfind('\n');
  if (feed != std::string::npos) {
    offset_ = now - last.size() + feed + 1;  // a line that is being written is still to come
  } else if (tail < now) {
    offset_ = now;
    skipping_ = true;
  }
  learn_head();
}

void LogFile::rewind() {
  offset_ = 0;
  head_.clear();
  skipping_ = false;
}

std::optional<std::string> LogFile::take_lines(std::uint64_t& too_long) {
  for (;;) {
    const std::uint64_t now = size();
    if (now <= offset_) {
      return std::nullopt;
    }
    std::string octets =
        read_at(fd_.get(), offset_, std::min<std::uint64_t>(now - offset_, LogSource::kChunk));
    // This is checked after reading: if the file was filled anew meanwhile, these octets would be
    // of the new content.
    if (octets.empty() || !begins_as_before()) {
      return std::nullopt;
    }
    if (skipping_) {
      const std::size_t feed = octets.find('\n');
      skipping_ = feed == std::string::npos;
      advance(std::string_view(octets).substr(0, feed == std::string::npos ? feed : feed + 1));
      continue;
    }
    if (octets[0] == '\0') {
      // A writer without O_APPEND leaves this hole when its file is truncated.
      advance(std::string_view(octets).substr(0, octets.find_first_not_of('\0')));
      continue;
    }
    const std::size_t feed = octets.rfind('\n');
    if (feed != std::string::npos) {
      octets.resize(feed + 1);
      advance(octets);
      return octets;
    }
    if (octets.size() < LogSource::kMaxLine) {
      return std::nullopt;
    }
    ++too_long;
    skipping_ = true;
    advance(octets);
  }
}

std::string LogFile::before_position(std::size_t limit) const {
  const std::uint64_t length = std::min<std::uint64_t>(offset_, limit);
  std::string lines = read_at(fd_.get(), offset_ - length, length);
  if (length < offset_) {  // it begins somewhere in a line
    const std::size_t feed = lines.find('\n');
    lines.erase(0, feed == std::string::npos ? feed : feed + 1);
  }
  return lines;
}

bool LogFile::overwritten() const {
  return size() < offset_ || !begins_as_before();
}

bool LogFile::begins_as_before() const {
  return read_at(fd_.get(), 0, head_.size()) == head_;
}

std::uint64_t LogFile::size() const {
  return static_cast<std::uint64_t>(status_of(fd_.get()).st_size);
}

TimePoint LogFile::modified() const {
  return TimePoint(Seconds(status_of(fd_.get()).st_mtim.tv_sec));
}

store::LogCursor LogFile::cursor() const {
  store::LogCursor cursor;
  cursor.device = id_.device;
  cursor.inode = id_.inode;
  cursor.offset = offset_;
  cursor.head_octets = static_cast<std::uint32_t>(head_.size());
  cursor.head_crc = crc32c(head_);
  return cursor;
}

// Moves the position over octets that were read. The more of the head is known, the more surely a
// file is recognised. The head is taken from the octets that are handed out, because if it was read
// again, it might be another file's.
void LogFile::advance(std::string_view octets) {
  if (head_.size() < kHead && offset_ <= head_.size() && head_.size() < offset_ + octets.size()) {
    const auto begin = head_.size() - static_cast<std::size_t>(offset_);
    head_ += octets.substr(begin, kHead - head_.size());
  }
  offset_ += octets.size();
}

void LogFile::learn_head() {
  const std::uint64_t known = std::min<std::uint64_t>(size(), kHead);
  if (known > head_.size()) {
    head_ = read_at(fd_.get(), 0, known);
  }
}

}  // namespace mtrk

#include "milter/log_source.h"

#include "common/base/codec.h"
#include "common/base/log.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
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

std::uint64_t size_of(int fd) {
  return static_cast<std::uint64_t>(status_of(fd).st_size);
}

// Fills `buffer` with at most `limit` octets from `offset`.
void read_at(int fd, std::uint64_t offset, std::size_t limit, std::string& buffer) {
  buffer.resize(limit);
  std::size_t filled = 0;
  while (filled < limit) {
    const ssize_t got =
        ::pread(fd, buffer.data() + filled, limit - filled, static_cast<off_t>(offset + filled));
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
  buffer.resize(filled);
}

// Does the file begin as the position remembers it?
bool begins_with(int fd, std::uint32_t octets, std::uint32_t crc) {
  std::string head;
  read_at(fd, 0, octets, head);
  return head.size() == octets && crc32c(head) == crc;
}

bool holds(int fd, const store::LogCursor& cursor) {
  return size_of(fd) >= cursor.offset && begins_with(fd, cursor.head_octets, cursor.head_crc);
}

}  // namespace

FileLogSource::FileLogSource(std::string path,
                             const std::optional<store::LogCursor>& resume,
                             Counters& counters)
    : path_(std::move(path)), counters_(counters) {
  if (resume) {
    resume_at(*resume);
  } else {
    begin_at_end();
  }
}

std::optional<LogLines> FileLogSource::next(Clock::time_point now) {
  adopt_current();
  if (files_.empty()) {
    return std::nullopt;
  }
  check_truncated(files_.front());
  File& file = files_.front();
  if (std::optional<LogLines> lines = read_lines(file)) {
    file.quiet_since.reset();
    return lines;
  }
  if (files_.size() == 1 || !finished(file, now)) {
    return std::nullopt;
  }
  if (size_of(file.fd.get()) > file.offset) {
    count(counters_.truncated);  // half a line that nobody will finish
  }
  files_.pop_front();
  extend_head(files_.front(), size_of(files_.front().fd.get()));
  return make_lines(files_.front(), {});
}

std::optional<LogLines> FileLogSource::warm_up() const {
  if (files_.empty() || files_.front().offset == 0) {
    return std::nullopt;
  }
  const File& file = files_.front();
  const std::uint64_t length = std::min<std::uint64_t>(file.offset, kWarmUp);
  std::string lines;
  read_at(file.fd.get(), file.offset - length, static_cast<std::size_t>(length), lines);
  if (length < file.offset) {  // begins somewhere in a line
    const std::size_t feed = lines.find('\n');
    lines.erase(0, feed == std::string::npos ? lines.size() : feed + 1);
  }
  LogLines result = make_lines(file, std::move(lines));
  result.warm_up = true;
  return result;
}

std::optional<store::LogCursor> FileLogSource::cursor() const {
  return files_.empty() ? std::nullopt : std::optional(cursor_of(files_.front()));
}

void FileLogSource::begin_at_end() {
  for (const LogSibling& sibling : log_siblings(path_)) {
    known_.insert(sibling.id);
  }
  adopt_current();
  if (files_.empty()) {
    return;
  }
  File& file = files_.front();
  const std::uint64_t size = size_of(file.fd.get());
  const std::uint64_t tail = std::min<std::uint64_t>(size, kMaxLine);
  read_at(file.fd.get(), size - tail, static_cast<std::size_t>(tail), buffer_);
  const std::size_t feed = buffer_.rfind('\n');
  if (feed != std::string::npos) {
    file.offset = size - buffer_.size() + feed + 1;  // a line under way is still to come
  } else if (tail < size) {
    file.offset = size;
    file.skipping = true;
  }
  extend_head(file, size);
}

void FileLogSource::resume_at(const store::LogCursor& cursor) {
  const std::vector<LogSibling> siblings = log_siblings(path_);
  const FileId wanted{cursor.device, cursor.inode};

  adopt_current();
  if (!files_.empty() && (files_.front().id == wanted || cursor.head_octets > 0) &&
      holds(files_.front().fd.get(), cursor)) {
    for (const LogSibling& sibling : siblings) {
      known_.insert(sibling.id);
    }
    files_.front().offset = cursor.offset;
    extend_head(files_.front(), size_of(files_.front().fd.get()));
    return;
  }
  // Rotated meanwhile: by identity first, else by content (copytruncate, moved across file
  // systems).
  auto found = std::find_if(siblings.begin(), siblings.end(), [&](const LogSibling& sibling) {
    const std::optional<File> file = sibling.id == wanted ? open_file(sibling.path) : std::nullopt;
    return file && holds(file->fd.get(), cursor);
  });
  if (found == siblings.end()) {
    found = std::find_if(siblings.begin(), siblings.end(), [&](const LogSibling& sibling) {
      return holds_position(sibling, cursor).has_value();
    });
  }
  // If the file itself is compressed or gone, what is newer than the newest compressed one was
  // never read.
  auto unread = found;
  if (found == siblings.end()) {
    gap("the log file of the last position is gone");
    const auto newest_compressed =
        std::find_if(siblings.rbegin(), siblings.rend(),
                     [](const LogSibling& sibling) { return sibling.compressed; });
    unread = newest_compressed == siblings.rend() ? siblings.end() : newest_compressed.base();
  }
  std::deque<File> current;
  current.swap(files_);
  for (auto sibling = siblings.begin(); sibling != siblings.end(); ++sibling) {
    known_.insert(sibling->id);
    if (sibling < unread) {
      continue;
    }
    if (sibling->compressed) {
      gap("a rotated log file was compressed before it was read");
      continue;
    }
    push_sibling(*sibling);
    if (sibling == found && !files_.empty()) {
      files_.back().offset = cursor.offset;
    }
  }
  // The newest rotated one may still be written to by a logger that has not reopened its file.
  if (!files_.empty() && !current.empty()) {
    files_.back().closed = false;
  }
  std::move(current.begin(), current.end(), std::back_inserter(files_));
  for (File& file : files_) {
    extend_head(file, size_of(file.fd.get()));
  }
}

// Looks whether the path leads to another file than before, and queues it.
void FileLogSource::adopt_current() {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) {
    if (files_.empty() && !missing_logged_) {
      missing_logged_ = true;
      log::warning("", {{"log", path_}, {"state", "waiting for the file"}});
    }
    return;
  }
  const FileId seen{status.st_dev, status.st_ino};
  if (!files_.empty() && files_.back().id == seen) {
    return;
  }
  std::optional<File> file = open_file(path_);
  if (!file || (!files_.empty() && files_.back().id == file->id)) {
    return;
  }
  missing_logged_ = false;
  if (!files_.empty()) {
    // Generations that came and went between two looks.
    std::set<FileId> present;
    for (const LogSibling& sibling : log_siblings(path_)) {
      const bool queued = std::any_of(files_.begin(), files_.end(),
                                      [&](const File& held) { return held.id == sibling.id; });
      if (!queued && !known_.contains(sibling.id) && !sibling.compressed &&
          sibling.id != file->id) {
        push_sibling(sibling);
      }
      present.insert(sibling.id);
    }
    known_ = std::move(present);  // inodes are reused
  }
  files_.push_back(std::move(*file));
}

std::optional<FileLogSource::File> FileLogSource::open_file(const std::string& path) {
  File file;
  file.fd.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file.fd) {
    if (errno != ENOENT && !missing_logged_) {
      missing_logged_ = true;
      log::error("", {{"log", path}, {"error", std::system_category().message(errno)}});
    }
    return std::nullopt;
  }
  const struct stat status = status_of(file.fd.get());
  file.id = {status.st_dev, status.st_ino};
  return file;
}

// The sibling, opened, if by its content it is the file of that position.
std::optional<FileLogSource::File> FileLogSource::holds_position(const LogSibling& sibling,
                                                                 const store::LogCursor& cursor) {
  if (sibling.compressed || sibling.size < cursor.offset || cursor.head_octets == 0) {
    return std::nullopt;
  }
  std::optional<File> file = open_file(sibling.path);
  if (file && !holds(file->fd.get(), cursor)) {
    file.reset();
  }
  return file;
}

void FileLogSource::push_sibling(const LogSibling& sibling) {
  if (std::optional<File> file = open_file(sibling.path)) {
    file->closed = true;
    files_.push_back(std::move(*file));
  } else {
    gap("a rotated log file cannot be read");
  }
}

std::optional<LogLines> FileLogSource::read_lines(File& file) {
  for (;;) {
    const std::uint64_t size = size_of(file.fd.get());
    if (size <= file.offset) {
      return std::nullopt;
    }
    const std::uint64_t limit = std::min<std::uint64_t>(size - file.offset, kChunk);
    read_at(file.fd.get(), file.offset, static_cast<std::size_t>(limit), buffer_);
    if (buffer_.empty()) {
      return std::nullopt;
    }
    if (file.skipping) {
      const std::size_t feed = buffer_.find('\n');
      file.skipping = feed == std::string::npos;
      file.offset += file.skipping ? buffer_.size() : feed + 1;
      continue;
    }
    const std::size_t feed = buffer_.rfind('\n');
    if (feed != std::string::npos) {
      buffer_.resize(feed + 1);
      file.offset += buffer_.size();
      extend_head(file, file.offset);
      return make_lines(file, std::move(buffer_));
    }
    if (buffer_.size() < kMaxLine) {
      return std::nullopt;
    }
    count(counters_.truncated);
    file.skipping = true;
    file.offset += buffer_.size();
  }
}

void FileLogSource::check_truncated(File& file) {
  if (size_of(file.fd.get()) >= file.offset &&
      begins_with(file.fd.get(), file.head_octets, file.head_crc)) {
    return;
  }
  gap("the log file was truncated or overwritten");
  const store::LogCursor before = cursor_of(file);
  file.offset = 0;
  file.head_octets = 0;
  file.head_crc = 0;
  file.skipping = false;
  // Copied before it was truncated: the copy may hold what was not read yet.
  const std::vector<LogSibling> siblings = log_siblings(path_);
  for (auto sibling = siblings.rbegin(); sibling != siblings.rend(); ++sibling) {
    std::optional<File> copy = holds_position(*sibling, before);
    if (copy && sibling->id != file.id) {
      copy->offset = before.offset;
      copy->closed = true;
      extend_head(*copy, before.offset);
      files_.push_front(std::move(*copy));
      return;
    }
  }
}

// The more of the head is known, the surer a file is recognised; it never changes once written.
void FileLogSource::extend_head(File& file, std::uint64_t size) {
  const auto octets = static_cast<std::uint32_t>(std::min<std::uint64_t>(size, kHead));
  if (octets <= file.head_octets) {
    return;
  }
  std::string head;
  read_at(file.fd.get(), 0, octets, head);
  file.head_octets = static_cast<std::uint32_t>(head.size());
  file.head_crc = crc32c(head);
}

bool FileLogSource::finished(File& file, Clock::time_point now) const {
  if (file.closed) {
    return true;
  }
  if (!file.quiet_since) {
    file.quiet_since = now;
  }
  const Clock::duration quiet = now - *file.quiet_since;
  return quiet >= kGrace || (quiet >= kShortGrace && size_of(files_[1].fd.get()) > 0);
}

LogLines FileLogSource::make_lines(const File& file, std::string lines) const {
  LogLines result;
  result.source = name();
  result.lines = std::move(lines);
  result.cursor = cursor_of(file);
  result.reference = TimePoint(Seconds(status_of(file.fd.get()).st_mtim.tv_sec));
  return result;
}

store::LogCursor FileLogSource::cursor_of(const File& file) const {
  store::LogCursor cursor;
  cursor.device = file.id.device;
  cursor.inode = file.id.inode;
  cursor.offset = file.offset;
  cursor.head_octets = file.head_octets;
  cursor.head_crc = file.head_crc;
  return cursor;
}

void FileLogSource::gap(std::string_view why) {
  count(counters_.gaps);
  log::warning("", {{"log", path_}, {"gap", why}});
}

}  // namespace mtrk

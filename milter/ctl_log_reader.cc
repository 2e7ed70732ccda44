#include "milter/ctl_log_reader.h"

#include "common/base/journal.h"
#include "common/base/local_offset.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace mtrk {

maillog::LogParser& OwnedLogParser::for_lines(std::string_view lines,
                                              const maillog::StampContext& stamps) {
  if (!known_) {
    if (const std::optional<Mta> mta = maillog::guess_mta(lines, stamps)) {
      known_ = true;
      if (*mta != parser_.mta()) {
        parser_ = maillog::LogParser(*mta);
      }
    }
  }
  return parser_;
}

LogBlock::LogBlock() : buffer_(new char[LogReader::kBlock + LogReader::kLongestLine]) {}

std::unique_ptr<JournalLogSource> open_journal(const std::string& path,
                                               const Config::Log& log,
                                               const store::LogCursor& position,
                                               Counters& counters) {
  const std::optional<LogPlace> place = parse_log_place(path);
  if (!place || place->kind != LogPlace::Kind::journal) {
    return nullptr;
  }
  try {
    JournalReader(place->scope(), place->path);  // a follower would wait for it
  } catch (const std::system_error& error) {
    throw CannotOpen(error.code(), path);
  }
  return std::make_unique<JournalLogSource>(
      place->path, JournalJudge(log.mta, journal_accounts(log)), position, counters);
}

LogReader::LogReader(const std::string& path, const Config::Log& log)
    : path_(path), journal_(open_journal(path, log, {}, counters_)) {
  if (journal_) {
    return;
  }
  if (path == "-") {
    path_ = "standard input";
    fd_ = STDIN_FILENO;
  } else {
    owned_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    fd_ = owned_.get();
    if (fd_ < 0) {
      throw CannotOpen(errno, std::generic_category(), path_);
    }
    ::posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  struct stat status {};
  const bool regular = ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
  size_ = regular ? static_cast<std::uint64_t>(status.st_size) : 0;
  const TimePoint reference{Seconds(regular ? status.st_mtime : std::time(nullptr))};
  stamps_ = {reference, local_offsets(reference)};
}

std::size_t LogReader::read(char* to, std::size_t room) {
  for (;;) {
    const ssize_t n = ::read(fd_, to, room);
    if (n >= 0) {
      return static_cast<std::size_t>(n);
    }
    if (errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), path_);
    }
  }
}

bool LogReader::next_of_journal(LogBlock& block) {
  std::optional<LogLines> lines;
  do {
    lines = journal_->next(LogSource::Clock::now());
  } while (lines && lines->lines.empty());  // entries of others
  block.entries_ = lines ? std::move(lines->lines) : std::string();
  block.lines_ = block.entries_;
  return lines.has_value();
}

bool LogReader::next(LogBlock& block) {
  if (journal_) {
    return next_of_journal(block);
  }
  char* const buffer = block.buffer_.get();
  for (;;) {
    std::memcpy(buffer, partial_.data(), partial_.size());
    const std::size_t fresh = read(buffer + partial_.size(), kBlock);
    position_ += fresh;
    std::string_view text(buffer, partial_.size() + fresh);
    if (fresh == 0) {
      partial_.clear();
      block.lines_ = discarding_ ? std::string_view() : text;
      return !block.lines_.empty();
    }
    if (discarding_) {
      const std::size_t feed = text.find('\n');
      if (feed == std::string_view::npos) {
        continue;
      }
      text.remove_prefix(feed + 1);
      discarding_ = false;
    }
    const std::size_t feed = text.rfind('\n');
    const std::size_t whole = feed == std::string_view::npos ? 0 : feed + 1;
    partial_ = text.substr(whole);
    if (partial_.size() > kLongestLine) {
      ++skipped_;
      partial_.clear();
      discarding_ = true;
    }
    if (whole > 0) {
      block.lines_ = text.substr(0, whole);
      return true;
    }
  }
}

}  // namespace mtrk

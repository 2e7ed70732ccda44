#include "milter/ctl/log_reader.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "common/base/journal.h"
#include "common/base/local_offset.h"
#include "milter/ctl/log_years.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
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
  } else {
    owned_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!owned_) {
      throw CannotOpen(errno, std::generic_category(), path_);
    }
    ::posix_fadvise(owned_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  const int fd = owned_ ? owned_.get() : STDIN_FILENO;
  struct stat status {};
  const bool regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  written_ = TimePoint(Seconds(regular ? status.st_mtime : std::time(nullptr)));
  octets_ = open_octets_ahead(fd, path_);
  if (regular && octets_->compression() == Compression::none) {
    size_ = static_cast<std::uint64_t>(status.st_size);
    years_ = years_of_file(fd, size_, written_);
  }
}

bool LogReader::next_of_journal(LogBlock& block) {
  std::optional<LogLines> lines;
  do {
    lines = journal_->next(LogSource::Clock::now());
  } while (lines && lines->lines.empty());  // these entries belong to others
  block.entries_ = lines ? std::move(lines->lines) : std::string();
  block.lines_ = block.entries_;
  return lines.has_value();
}

bool LogReader::next(LogBlock& block) {
  if (journal_) {
    return next_of_journal(block);
  }
  if (!held_.empty()) {
    std::memcpy(block.buffer_.get(), held_.data(), held_.size());
    block.lines_ = std::string_view(block.buffer_.get(), held_.size());
    held_.clear();
  } else if (!next_of_file(block)) {
    return false;
  }
  end_with_stretch(block);
  return true;
}

// All lines of one block belong to one stretch (log_years.h). For input that cannot be examined
// beforehand, the first block decides.
void LogReader::end_with_stretch(LogBlock& block) {
  if (years_.empty()) {
    years_ = years_of_lines(block.lines_, written_);
  }
  const maillog::YearStretch& stretch = maillog::stretch_at(years_, offset_);
  const std::uint64_t left = stretch.end - std::min(stretch.end, offset_);
  if (left < block.lines_.size()) {
    held_ = block.lines_.substr(left);
    block.lines_ = block.lines_.substr(0, left);
  }
  offset_ += block.lines_.size();
  stamps_ = {stretch.reference, local_offsets(stretch.reference)};
  block.stamps_ = stamps_;
}

bool LogReader::next_of_file(LogBlock& block) {
  char* const buffer = block.buffer_.get();
  for (;;) {
    std::memcpy(buffer, partial_.data(), partial_.size());
    const std::size_t fresh = octets_->read(buffer + partial_.size(), kBlock);
    position_ += fresh;
    std::string_view text(buffer, partial_.size() + fresh);
    if (fresh == 0) {
      partial_.clear();
      block.lines_ = discarding_ ? std::string_view() : text;
      offset_ = position_ - block.lines_.size();
      return !block.lines_.empty();
    }
    if (discarding_) {
      const std::size_t feed = text.find('\n');
      if (feed == std::string_view::npos) {
        discarded_ += text.size();
        if (discarded_ >= NotALog::kEndless) {
          throw NotALog(path_);
        }
        continue;
      }
      text.remove_prefix(feed + 1);
      discarding_ = false;
    }
    const std::size_t feed = text.rfind('\n');
    const std::size_t whole = feed == std::string_view::npos ? 0 : feed + 1;
    offset_ = position_ - text.size();
    partial_ = text.substr(whole);
    if (partial_.size() > kLongestLine) {
      ++skipped_;
      discarded_ = partial_.size();
      partial_.clear();
      discarding_ = true;
    }
    if (whole > 0) {
      block.lines_ = text.substr(0, whole);
      return true;
    }
  }
}

int report_format(const std::string& path,
                  std::uint64_t lines,
                  const maillog::LogFormatTally& format,
                  const std::string& complaint) {
  constexpr std::size_t kShown = 160;
  if (!complaint.empty()) {
    std::fprintf(stderr, "mtrkctl: %s: %s\n", path.c_str(), complaint.c_str());
    if (format.mail() || lines == 0) {
      return exit_code::data_error;
    }
  }
  const std::string& example = format.example();
  const std::string shown =
      example.empty() ? std::string() : ": " + escape_for_people(example, kShown);
  const std::uint64_t unknown = format.unknown_lines();
  if (unknown > 0) {
    std::fprintf(stderr, "mtrkctl: %s: unknown log format: %llu of %llu lines, such as%s\n",
                 path.c_str(), static_cast<unsigned long long>(unknown),
                 static_cast<unsigned long long>(lines), shown.c_str());
    return exit_code::data_error;
  }
  if (lines == 0) {
    std::fprintf(stderr, "mtrkctl: %s: nothing to read\n", path.c_str());
    return exit_code::ok;
  }
  if (const std::uint64_t spoilt = format.spoilt_lines(); spoilt > 0) {
    std::fprintf(stderr,
                 "mtrkctl: %s: %llu of %llu lines have no tag that can be read, such as%s\n",
                 path.c_str(), static_cast<unsigned long long>(spoilt),
                 static_cast<unsigned long long>(lines), shown.c_str());
    return exit_code::ok;  // one such line among many, whose record is no program's
  }
  if (format.mail()) {
    return exit_code::ok;
  }
  if (const std::string_view by = maillog::compression_of(example); !by.empty()) {
    std::fprintf(
        stderr,
        "mtrkctl: %s: unknown log format: it looks compressed with %.*s, which is not read; "
        "decompress it into --log -\n",
        path.c_str(), static_cast<int>(by.size()), by.data());
  } else {
    std::fprintf(stderr,
                 "mtrkctl: %s: unknown log format: none of %llu lines is a mail log's%s%s\n",
                 path.c_str(), static_cast<unsigned long long>(lines),
                 shown.empty() ? "" : "; the first that is unknown", shown.c_str());
  }
  return exit_code::data_error;
}

}  // namespace mtrk

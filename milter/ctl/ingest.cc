#include "milter/ctl/ingest.h"

#include "common/base/ascii.h"
#include "common/base/codec.h"
#include "common/base/exit_code.h"
#include "common/base/local_offset.h"
#include "common/base/print_error.h"
#include "common/base/unique_fd.h"
#include "common/maillog/log_format_tally.h"
#include "common/maillog/log_line.h"
#include "common/maillog/log_parser.h"
#include "milter/base/counters.h"
#include "milter/ctl/log_reader.h"
#include "milter/ctl/log_years.h"
#include "milter/ctl/privileges.h"
#include "milter/ctl/store.h"
#include "milter/log/journal_source.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace mtrk {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;  // octets per read
// Octets per commit. Each commit costs a sync of the disk and keeps the daemon from committing
// meanwhile (some 150 ms).
constexpr std::size_t kBatch = std::size_t{32} << 20;
constexpr std::uint64_t kWarmUp = std::uint64_t{64} << 20;  // octets read again on resuming
constexpr std::size_t kHead = 256;                          // octets of the fingerprint
constexpr std::uint64_t kShownUnparsed = 20;

struct Counts {
  std::uint64_t lines = 0, events = 0, ignored = 0, unparsed = 0, applied = 0, unknown_format = 0;
};

// A LogFile is a log as blocks of whole lines, addressed by position.
class LogFile {
 public:
  explicit LogFile(std::string path) : path_(std::move(path)) {
    // O_NONBLOCK avoids waiting for a FIFO: only regular files are logs here.
    fd_ = UniqueFd(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd_ || ::fstat(fd_.get(), &status_) != 0) {
      throw CannotOpen(errno, std::generic_category(), path_);
    }
    if (!S_ISREG(status_.st_mode)) {
      throw std::system_error(EINVAL, std::generic_category(), path_ + ": not a regular file");
    }
    size_ = static_cast<std::uint64_t>(status_.st_size);
    const std::unique_ptr<OctetSource> octets = open_octets(fd_.get(), path_);
    if (octets->compression() != Compression::none) {  // positions are those in the log itself
      fd_ = spool(*octets, complaint_);
      struct stat spooled {};
      if (::fstat(fd_.get(), &spooled) != 0) {
        throw std::system_error(errno, std::generic_category(), path_);
      }
      size_ = static_cast<std::uint64_t>(spooled.st_size);
    }
    years_ = years_of_file(fd_.get(), size_, TimePoint(Seconds(status_.st_mtime)));
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::string& complaint() const { return complaint_; }
  [[nodiscard]] std::string source_name() const {
    return fmt::format("ingest:{}:{}", status_.st_dev, status_.st_ino);
  }
  // Returns the context for the lines from `offset` on that one read() returns. A stamp without a
  // year gets it from what the log tells around it, or from the time when the file was written. Its
  // zone is that of this machine.
  [[nodiscard]] maillog::StampContext stamps(std::uint64_t offset) const {
    const TimePoint reference = maillog::stretch_at(years_, offset).reference;
    return {reference, local_offsets(reference)};
  }

  // Returns the whole lines from `offset` on: at most about kChunk octets and none beyond `end`.
  // Returns an empty view at the end. The view is valid until the next call.
  std::string_view read(std::uint64_t offset, std::uint64_t end) {
    end = std::min(end, maillog::stretch_at(years_, offset).end);
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, end - offset));
    buffer_.resize(wanted);
    buffer_.resize(read_at(buffer_.data(), wanted, offset));
    const std::size_t last = buffer_.rfind('\n');
    if (last == std::string::npos && buffer_.size() == kChunk) {
      // This is a part of a "line" of megabytes, the only block without a line feed at its end.
      return buffer_;
    }
    return std::string_view(buffer_).substr(0, last == std::string::npos ? 0 : last + 1);
  }

  // Returns whether `offset` is within a line. The rest of that line must not be read as a line,
  // because anybody may have written it.
  [[nodiscard]] bool within_line(std::uint64_t offset) {
    char before = '\n';
    return offset != 0 && read_at(&before, 1, offset - 1) == 1 && before != '\n';
  }

  [[nodiscard]] store::LogCursor cursor_at(std::uint64_t offset) {
    std::string head(std::min<std::uint64_t>(kHead, offset), '\0');
    head.resize(read_at(head.data(), head.size(), 0));
    store::LogCursor cursor;
    cursor.device = status_.st_dev;
    cursor.inode = status_.st_ino;
    cursor.offset = offset;
    cursor.head_octets = static_cast<std::uint32_t>(head.size());
    cursor.head_crc = crc32c(head);
    return cursor;
  }
  // Returns where a stored position is in this file, or 0 if it does not belong to it.
  [[nodiscard]] std::uint64_t resume(const std::optional<store::LogCursor>& stored) {
    if (!stored || stored->offset > size()) {
      return 0;
    }
    const store::LogCursor here = cursor_at(stored->offset);
    const bool same = here.head_octets == stored->head_octets && here.head_crc == stored->head_crc;
    return same ? stored->offset : 0;
  }

 private:
  std::size_t read_at(char* out, std::size_t wanted, std::uint64_t offset) {
    std::size_t got = 0;
    while (got < wanted) {
      const ssize_t n =
          ::pread(fd_.get(), out + got, wanted - got, static_cast<off_t>(offset + got));
      if (n < 0 && errno == EINTR) {
        continue;
      }
      if (n < 0) {
        throw std::system_error(errno, std::generic_category(), path_);
      }
      if (n == 0) {
        break;
      }
      got += static_cast<std::size_t>(n);
    }
    return got;
  }

  std::string path_;
  UniqueFd fd_;
  struct stat status_ {};
  std::uint64_t size_ = 0;
  std::string complaint_;  // about compressed data
  std::vector<maillog::YearStretch> years_;
  std::string buffer_;
};

// Visits the lines that both begin and end in the block.
template <typename Visit>
void for_each_line(std::string_view block, bool begins_within_line, Visit visit) {
  if (begins_within_line) {
    block.remove_prefix(std::min(block.find('\n'), block.size() - 1) + 1);
  }
  if (!block.empty() && block.back() != '\n') {
    return;
  }
  while (!block.empty()) {
    const std::size_t end = block.find('\n');
    visit(block.substr(0, end));
    block.remove_prefix(end + 1);
  }
}

class Ingest {
 public:
  Ingest(store::TrackingWriter& writer, const LogOwner& owner) : writer_(writer), parser_(owner) {}

  // Returns exit_code::data_error, and reports it, if the format of the log is unknown. If a part
  // of the log was read before, its format counts as known.
  int read(LogFile& log, const std::string& path) {
    std::uint64_t offset = log.resume(writer_.cursor(log.source_name()));
    const bool whole = offset == 0;
    const std::uint64_t lines_before = counts_.lines;
    format_ = {};
    warm_up(log, offset);
    while (const std::uint64_t octets = apply_batch(log, offset, path)) {
      offset += octets;
      if (shows_progress_) {
        print_error("\r{}: {} %", path, offset * 100 / std::max<std::uint64_t>(1, log.size()));
      }
    }
    counts_.unknown_format += format_.unknown_lines() + format_.spoilt_lines();
    return whole || format_.unknown_lines() + format_.spoilt_lines() > 0
               ? report_format(path, counts_.lines - lines_before, format_, log.complaint())
               : exit_code::ok;
  }
  // Reads the entries up to the one that is the newest now.
  void read_journal(LogSource& journal, const std::string& position_name) {
    use_stamps({});  // journal entries have year and zone
    const auto now = LogSource::Clock::now();
    if (const std::optional<LogLines> before = journal.warm_up()) {
      warm_up_lines(before->lines, false);
    }
    while (const std::optional<LogLines> lines = journal.next(now)) {
      parser_.for_lines(lines->lines, stamps_);
      writer_.begin();
      for_each_line(lines->lines, false,
                    [&](std::string_view line) { apply(line, journal.name()); });
      writer_.put_cursor(position_name, lines->cursor);
      writer_.commit();
    }
  }
  [[nodiscard]] const Counts& counts() const { return counts_; }
  void print_summary() const {
    print_error("{}lines={} events={} ignored={} unparsed={} applied={}",
                shows_progress_ ? "\r\x1b[K" : "", counts_.lines, counts_.events, counts_.ignored,
                counts_.unparsed, counts_.applied);
    if (counts_.unknown_format > 0) {
      print_error(" unknown_format={}", counts_.unknown_format);
    }
    print_error("\n");
  }

 private:
  // Reads the lines before the position again, for what they may yet turn out to mean
  // (trace_router.h).
  void warm_up(LogFile& log, std::uint64_t end) {
    std::uint64_t offset = end - std::min(end, kWarmUp);
    for (;;) {
      const std::string_view block = offset < end ? log.read(offset, end) : std::string_view();
      if (block.empty()) {
        return;
      }
      use_stamps(log.stamps(offset));
      warm_up_lines(block, log.within_line(offset));
      offset += block.size();
    }
  }
  void warm_up_lines(std::string_view block, bool within_line) {
    parser_.for_lines(block, stamps_);
    for_each_line(block, within_line, [&](std::string_view line) {
      if (const auto parts = maillog::split_log_line(line, stamps_, &memo_)) {
        parser_.get().parse(*parts, [this](const auto& event) { writer_.warm_up(event); });
      }
    });
  }

  // Applies the lines at `offset` and commits them together with the position after them. Returns
  // how many octets that was, or 0 at the end.
  std::uint64_t apply_batch(LogFile& log, std::uint64_t offset, const std::string& path) {
    const std::uint64_t begin = offset;
    writer_.begin();
    while (offset - begin < kBatch) {
      const std::string_view block = log.read(offset, log.size());
      if (block.empty()) {
        break;
      }
      use_stamps(log.stamps(offset));
      parser_.for_lines(block, stamps_);
      for_each_line(block, log.within_line(offset),
                    [&](std::string_view line) { apply(line, path); });
      offset += block.size();
    }
    if (offset != begin) {
      writer_.put_cursor(log.source_name(), log.cursor_at(offset));
    }
    writer_.commit();
    return offset - begin;
  }

  void apply(std::string_view text, const std::string& path) {
    ++counts_.lines;
    const std::optional<maillog::LogLine> line = maillog::split_log_line(text, stamps_, &memo_);
    if (!line) {
      format_.unknown(text);
      ++counts_.ignored;
      return;
    }
    const maillog::LineKind kind =
        parser_.get().parse(*line, [this](const maillog::DeliveryEvent& event) {
          ++counts_.events;
          counts_.applied += writer_.apply(event) ? 1U : 0U;
        });
    format_.known(text, *line, kind);
    if (kind == maillog::LineKind::ignored) {
      ++counts_.ignored;
    } else if (kind == maillog::LineKind::unparsed && counts_.unparsed++ < kShownUnparsed) {
      print_error("{}: unparsed: {}\n", path, escape_for_people(text));
    }
  }

  void use_stamps(const maillog::StampContext& stamps) {
    if (stamps.reference != stamps_.reference || !(stamps.zone == stamps_.zone)) {
      stamps_ = stamps;
      memo_ = {};
    }
  }

  store::TrackingWriter& writer_;
  OwnedLogParser parser_;
  const bool shows_progress_ = ::isatty(STDERR_FILENO) != 0;
  Counts counts_;
  maillog::StampContext stamps_;  // of the lines that are being read
  maillog::StampMemo memo_;
  maillog::LogFormatTally format_;  // of the log that is being read
};

// An IngestLog is either a file or a journal.
struct IngestLog {
  std::string path;
  std::optional<LogFile> file;
  std::unique_ptr<JournalLogSource> journal;
};

// Opens all logs before root gives up its rights. Throws CannotOpen.
std::vector<IngestLog> open_logs(const IngestOptions& options, Counters& counters) {
  Config::Log log = options.config.log;
  log.mta = options.mta.value_or(log.mta);
  std::vector<IngestLog> logs;
  for (const std::string& path : options.logs) {
    IngestLog& one = logs.emplace_back();
    one.path = path;
    one.journal = open_journal(path, log, {}, counters);
    if (!one.journal) {
      one.file.emplace(path);
    }
  }
  return logs;
}

}  // namespace

int run_ingest(const IngestOptions& options) {
  return with_store_errors([&] {
    Counters counters;
    std::vector<IngestLog> logs;
    try {
      logs = open_logs(options, counters);
    } catch (const CannotOpen& error) {
      print_error("mtrkctl: {}\n", error.what());
      return exit_code::no_input;
    }
    become_store_owner(options.config.store.path);
    CheckedWriter checked(options.config);
    store::TrackingWriter& writer = checked.get();
    Ingest ingest(writer, {options.mta, options.config.log.mta});
    int understood = exit_code::ok;
    for (IngestLog& log : logs) {
      if (log.journal) {
        const std::string position = "ingest-" + log.path;
        log.journal->go_to(writer.cursor(position).value_or(store::LogCursor()));
        ingest.read_journal(*log.journal, position);
      } else {
        understood = std::max(understood, ingest.read(*log.file, log.path));
      }
    }
    ingest.print_summary();
    const Counts& counts = ingest.counts();
    static_cast<void>(add_to_counters_file(ingest_counters_path(options.config.store.path),
                                           {{"lines", counts.lines},
                                            {"events", counts.events},
                                            {"applied", counts.applied},
                                            {"ignored", counts.ignored},
                                            {"unparsed", counts.unparsed},
                                            {"unknown_format", counts.unknown_format}}));
    return std::max(understood, counts.unparsed == 0 ? exit_code::ok : 1);
  });
}

}  // namespace mtrk

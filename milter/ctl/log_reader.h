#pragma once

#include "common/base/mta.h"
#include "common/base/unique_fd.h"
#include "common/maillog/line_ends.h"
#include "common/maillog/log_format_tally.h"
#include "common/maillog/log_line.h"
#include "common/maillog/log_parser.h"
#include "common/maillog/log_years.h"
#include "milter/ctl/octet_source.h"
#include "milter/log/journal_source.h"
#include "milter/log/location.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

// A LogReader reads one log file from front to back in big blocks, for commands that take a log as
// it is or as it was before it was compressed (octet_source.h). Its memory does not grow with the
// log. The constructor throws CannotOpen. Reading throws std::system_error if it fails and NotALog
// if no line ends. Each error text contains the path.
namespace mtrk {

class CannotOpen : public std::system_error {
 public:
  using std::system_error::system_error;
};

// Thrown after so many octets without a line feed that waiting for one is pointless (/dev/zero has
// none).
class NotALog : public std::runtime_error {
 public:
  explicit NotALog(const std::string& path)
      : std::runtime_error(path + ": this is not a log: 64 MiB without a line feed") {}
  static constexpr std::uint64_t kEndless = std::uint64_t{64} << 20;
};

// A LogBlock holds whole lines of a log, each with its line feed. The last line of a file may lack
// it.
class LogBlock {
 public:
  LogBlock();
  [[nodiscard]] std::string_view lines() const { return lines_; }
  // Returns the context for stamps without year and zone. The year is what the log tells around
  // these lines, or else that of the file's modification time (for other inputs, of the clock). The
  // zone is that of this machine at that time.
  [[nodiscard]] const maillog::StampContext& stamps() const { return stamps_; }

 private:
  friend class LogReader;
  std::unique_ptr<char[]> buffer_;
  std::string entries_;  // for a journal
  std::string_view lines_;
  maillog::StampContext stamps_;
};

// Removes the first line and its line feed from `lines` and returns the line.
[[nodiscard]] inline std::string_view take_line(std::string_view& lines) {
  const std::size_t feed = std::min(lines.find('\n'), lines.size());
  const std::string_view line = lines.substr(0, feed);
  lines.remove_prefix(std::min(feed + 1, lines.size()));
  return line;
}

// LogOwner says whose logs they are. The command line decides if it says so, else the first lines
// that show it, else the configuration.
struct LogOwner {
  std::optional<Mta> given;
  Mta configured = Mta::postfix;
};

// An OwnedLogParser is the parser for the lines of one or more logs that are read front to back.
class OwnedLogParser {
 public:
  explicit OwnedLogParser(const LogOwner& owner)
      : parser_(owner.given.value_or(owner.configured)), known_(owner.given.has_value()) {}

  // Looks at the lines that are to be parsed next and returns the parser for them.
  maillog::LogParser& for_lines(std::string_view lines, const maillog::StampContext& stamps);
  maillog::LogParser& get() { return parser_; }

 private:
  maillog::LogParser parser_;
  bool known_;
};

// Opens the journal of that name ("journal", "journal:/path") at the position. Returns nothing if
// `path` does not name a journal. Throws CannotOpen.
[[nodiscard]] std::unique_ptr<JournalLogSource> open_journal(const std::string& path,
                                                             const Config::Log& log,
                                                             const store::LogCursor& position,
                                                             Counters& counters);

class LogReader {
 public:
  static constexpr std::size_t kBlock = std::size_t{128} << 10;
  static constexpr std::size_t kLongestLine = std::size_t{64} << 10;  // a longer line is skipped

  // "-" is stdin. "journal" and "journal:/path" are the journal from its first entry on; those
  // entries that `log` makes trustworthy are returned as syslog lines.
  explicit LogReader(const std::string& path, const Config::Log& log = {});

  // Reads the next lines. Returns false at the end.
  [[nodiscard]] bool next(LogBlock& block);

  // size() returns the octets of the file, or 0 if that is unknown (a pipe). The other function
  // returns how many of them were read.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t position() const { return position_; }
  // Returns whether only one thread should read the log: a journal must not be read by two threads
  // in turn, and for a small file a second thread is not worth it.
  [[nodiscard]] bool is_for_one() const { return journal_ || (size_ != 0 && size_ <= kBlock); }
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }  // over-long lines
  // Returns what is wrong with the compressed data once their end was reached, and an empty text if
  // nothing is.
  [[nodiscard]] std::string complaint() const { return octets_ ? octets_->complaint() : ""; }
  // Returns the context for the stamps of the block that was read last.
  [[nodiscard]] const maillog::StampContext& stamps() const { return stamps_; }

 private:
  [[nodiscard]] bool next_of_journal(LogBlock& block);
  [[nodiscard]] bool next_of_file(LogBlock& block);
  void end_with_stretch(LogBlock& block);

  std::string path_;
  UniqueFd owned_;
  std::unique_ptr<OctetSource> octets_;  // null for a journal
  std::uint64_t size_ = 0;
  std::uint64_t position_ = 0;
  TimePoint written_;  // when the log was written, as far as that is known
  std::vector<maillog::YearStretch> years_;
  maillog::StampContext stamps_;
  std::uint64_t offset_ = 0;     // of the first line that was not returned yet
  std::string held_;             // whole lines of another year than those that were returned before
  std::string partial_;          // the beginning of a line whose end was not read yet
  bool discarding_ = false;      // whether the current line is over-long
  std::uint64_t discarded_ = 0;  // octets of that line so far
  std::uint64_t skipped_ = 0;
  Counters counters_;  // for the journal
  std::unique_ptr<LogSource> journal_;
};

// A LogSummary is the result of reading a log to its end.
struct LogSummary {
  std::string complaint;  // from LogReader::complaint()
  std::uint64_t lines = 0;
  std::uint64_t unparsed = 0;  // lines about deliveries that were not understood or were too long
  maillog::LogFormatTally format;
};

// Reports on standard error what concerns the log as a whole: that its format, or that of some
// lines, is unknown (with one such line); that the tags of some lines are spoilt; that the log is
// empty; what is wrong with compressed data (`complaint`). Returns exit_code::data_error in the
// first and the last case, and otherwise ok.
[[nodiscard]] int report_format(const std::string& path,
                                std::uint64_t lines,
                                const maillog::LogFormatTally& format,
                                const std::string& complaint = {});

// Reads a log to its end and calls visit(const DeliveryEvent&, std::string_view line) for each
// event.
template <typename Visit>
LogSummary read_whole_log(const std::string& path,
                          const Config::Log& log,
                          OwnedLogParser& parser,
                          Visit visit) {
  LogSummary summary;
  LogReader reader(path, log);
  LogBlock block;
  while (reader.next(block)) {
    std::string_view lines = block.lines();
    maillog::LogParser& its = parser.for_lines(lines, block.stamps());
    maillog::StampMemo memo;
    while (!lines.empty()) {
      const std::string_view text = maillog::record_of(take_line(lines));
      const std::optional<maillog::LogLine> line =
          maillog::split_log_line(text, block.stamps(), &memo);
      ++summary.lines;
      if (!line) {
        summary.format.unknown(text);
        continue;
      }
      const maillog::LineKind kind =
          its.parse(*line, [&](const maillog::DeliveryEvent& event) { visit(event, text); });
      summary.format.known(text, *line, kind);
      summary.unparsed += kind == maillog::LineKind::unparsed ? 1U : 0U;
    }
  }
  summary.complaint = reader.complaint();
  summary.lines += reader.skipped();
  summary.unparsed += reader.skipped();
  return summary;
}

}  // namespace mtrk

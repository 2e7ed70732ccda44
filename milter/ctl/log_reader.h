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
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

// Reads one log file front to back in big blocks, for commands that take a log as it is, or as it
// was before it was compressed (octet_source.h). Memory does not grow with the log. Fails:
// CannotOpen at construction, std::system_error when reading does (the path is in the text of
// both).
namespace mtrk {

class CannotOpen : public std::system_error {
 public:
  using std::system_error::system_error;
};

// Whole lines of a log, each with its line feed (the last line of a file may lack it).
class LogBlock {
 public:
  LogBlock();
  [[nodiscard]] std::string_view lines() const { return lines_; }
  // For stamps without year and zone: what the log tells around these lines, else the file's
  // modification time (the clock, for others), and the zone this machine has then.
  [[nodiscard]] const maillog::StampContext& stamps() const { return stamps_; }

 private:
  friend class LogReader;
  std::unique_ptr<char[]> buffer_;
  std::string entries_;  // of a journal
  std::string_view lines_;
  maillog::StampContext stamps_;
};

// Takes the first line off, and its line feed.
[[nodiscard]] inline std::string_view take_line(std::string_view& lines) {
  const std::size_t feed = std::min(lines.find('\n'), lines.size());
  const std::string_view line = lines.substr(0, feed);
  lines.remove_prefix(std::min(feed + 1, lines.size()));
  return line;
}

// Whose logs they are: as the command line says, else as the first lines tell that do, else as the
// configuration says.
struct LogOwner {
  std::optional<Mta> given;
  Mta configured = Mta::postfix;
};

// The parser for lines of one or more logs, read front to back.
class OwnedLogParser {
 public:
  explicit OwnedLogParser(const LogOwner& owner)
      : parser_(owner.given.value_or(owner.configured)), known_(owner.given.has_value()) {}

  // Has a look at lines that are to be parsed next.
  maillog::LogParser& for_lines(std::string_view lines, const maillog::StampContext& stamps);
  maillog::LogParser& get() { return parser_; }

 private:
  maillog::LogParser parser_;
  bool known_;
};

// The journal of that name ("journal", "journal:/path") from the position on, or nothing if `path`
// is not one. Fails: CannotOpen.
[[nodiscard]] std::unique_ptr<JournalLogSource> open_journal(const std::string& path,
                                                             const Config::Log& log,
                                                             const store::LogCursor& position,
                                                             Counters& counters);

class LogReader {
 public:
  static constexpr std::size_t kBlock = std::size_t{128} << 10;
  static constexpr std::size_t kLongestLine = std::size_t{64} << 10;  // a longer one is skipped

  // "-" is stdin; "journal" and "journal:/path" are the journal, from its first entry on: what
  // `log` believes of it, as syslog lines.
  explicit LogReader(const std::string& path, const Config::Log& log = {});

  // Reads the next lines; false at the end.
  [[nodiscard]] bool next(LogBlock& block);

  // Octets of the file, 0 if nobody knows (a pipe); and how many of them were read.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t position() const { return position_; }
  // Must not be read by two threads in turn (the journal), or is not worth it.
  [[nodiscard]] bool is_for_one() const { return journal_ || (size_ != 0 && size_ <= kBlock); }
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }  // over-long lines
  // What is wrong with compressed data, once their end was reached; empty if nothing is.
  [[nodiscard]] std::string complaint() const { return octets_ ? octets_->complaint() : ""; }
  // Those of the block that was read last.
  [[nodiscard]] const maillog::StampContext& stamps() const { return stamps_; }

 private:
  [[nodiscard]] bool next_of_journal(LogBlock& block);
  [[nodiscard]] bool next_of_file(LogBlock& block);
  void end_with_stretch(LogBlock& block);

  std::string path_;
  UniqueFd owned_;
  std::unique_ptr<OctetSource> octets_;  // none of a journal
  std::uint64_t size_ = 0;
  std::uint64_t position_ = 0;
  TimePoint written_;  // when the log was, as far as anybody knows
  std::vector<maillog::YearStretch> years_;
  maillog::StampContext stamps_;
  std::uint64_t offset_ = 0;  // of the first line that was not handed out
  std::string held_;          // whole lines, of another year than those handed out before
  std::string partial_;       // the beginning of a line whose end was not read yet
  bool discarding_ = false;   // an over-long line
  std::uint64_t skipped_ = 0;
  Counters counters_;  // the journal's
  std::unique_ptr<LogSource> journal_;
};

// What a log that was read to its end came to.
struct LogSummary {
  std::string complaint;  // LogReader's
  std::uint64_t lines = 0;
  std::uint64_t unparsed = 0;  // lines about deliveries that were not understood, or were too long
  maillog::LogFormatTally format;
};

// Says on standard error what is to be said of the log as a whole: that its format, or that of some
// of its lines, is unknown, with one of them; that the tags of some are spoilt; that there is
// nothing in it; what is wrong with compressed data (`complaint`). Returns exit_code::data_error in
// the first case and the last one, else ok.
[[nodiscard]] int report_format(const std::string& path,
                                std::uint64_t lines,
                                const maillog::LogFormatTally& format,
                                const std::string& complaint = {});

// Reads a log to its end: visit(const DeliveryEvent&, std::string_view line) for each event.
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

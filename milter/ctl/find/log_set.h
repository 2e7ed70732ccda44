#pragma once

#include "common/base/unique_fd.h"
#include "common/config/config.h"
#include "common/maillog/log_format_tally.h"
#include "common/maillog/log_line.h"
#include "common/maillog/log_years.h"
#include "milter/ctl/octet_source.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The logs that a search goes through, oldest first, several times and with all cores: plain files
// in pieces that threads take in any order, compressed ones and the journal one block after the
// other, several logs at a time. What is read does not stay in memory. Files are read with pread(2)
// and not mapped, since a log that is truncated meanwhile (copytruncate) must not end the search.
namespace mtrk::find {

// Where a line stands, among all logs: comparing two compares their order.
using Place = std::uint64_t;
inline constexpr unsigned kOffsetBits = 44;  // of an offset in a log
[[nodiscard]] constexpr std::size_t log_of(Place place) {
  return static_cast<std::size_t>(place >> kOffsetBits);
}

// Whole lines of a log.
struct Block {
  std::size_t log = 0;
  Place place = 0;  // of the first one
  std::string_view lines;
  std::vector<char> buffer;
};

class Log {
 public:
  // "-" is standard input, which is kept in a file without a name if it is a pipe; "journal" and
  // "journal:/dir" as LogReader has them. Fails: CannotOpen, std::system_error.
  Log(std::size_t number, const std::string& path, const Config::Log& config);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Only while no thread reads.
  void rewind();
  enum class Next { block, busy, end };
  // Thread-safe. Does not wait for another thread unless it is told to: busy.
  [[nodiscard]] Next next(Block& block, bool wait);

  // For stamps at that offset. Thread-safe.
  [[nodiscard]] maillog::StampContext stamps(std::uint64_t offset) const;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t octets() const { return octets_; }  // of the file; 0 of a journal
  [[nodiscard]] std::uint64_t done() const { return done_; }      // of them, in this pass
  [[nodiscard]] std::uint64_t octets_of_text() const;
  [[nodiscard]] std::string complaint() const;  // OctetSource's
  // The first octets of the log, decompressed.
  [[nodiscard]] const std::string& beginning() const { return beginning_; }

 private:
  class Sequence;

  [[nodiscard]] bool next_piece(Block& block);

  std::size_t number_;
  std::string path_;
  UniqueFd fd_;
  std::uint64_t octets_ = 0;
  std::string beginning_;
  TimePoint written_;
  std::vector<maillog::YearStretch> years_;
  std::unique_ptr<Sequence> sequence_;      // of a log that is read front to back
  std::atomic<std::uint64_t> position_{0};  // of the next piece of any other
  std::atomic<std::uint64_t> done_{0};
};

class LogSet {
 public:
  LogSet(const std::vector<std::string>& paths, const Config::Log& config);

  // Reads all lines once: work(block, worker) from several threads at once, worker < workers(). An
  // exception of one ends all, and is passed on. `progress`, if there is one, is called now and
  // then by one thread with what was read of all octets.
  using Work = std::function<void(Block&, unsigned worker)>;
  using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;
  void scan(const Work& work, const Progress& progress = {});

  [[nodiscard]] unsigned workers() const { return workers_; }
  [[nodiscard]] std::size_t size() const { return logs_.size(); }
  [[nodiscard]] const Log& log(std::size_t number) const { return *logs_[number]; }
  [[nodiscard]] std::uint64_t octets() const;
  // About as many when they are decompressed.
  [[nodiscard]] std::uint64_t octets_of_text() const;

 private:
  [[nodiscard]] bool next(Block& block);

  std::vector<std::unique_ptr<Log>> logs_;
  unsigned workers_;
};

}  // namespace mtrk::find

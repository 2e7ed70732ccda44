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

// A LogSet is the set of logs that a search reads, oldest first. A search reads them several times
// and with all cores. Threads take the pieces of plain files in any order; a compressed log or the
// journal is read block after block, but several such logs at a time. What is read does not stay in
// memory. Files are read with pread(2) and not mapped, because truncating a log meanwhile
// (copytruncate) must not end the search.
namespace mtrk::find {

// A Place says where a line stands among all logs. Comparing two places compares their order.
using Place = std::uint64_t;
inline constexpr unsigned kOffsetBits = 44;  // bits for the offset within a log
[[nodiscard]] constexpr std::size_t log_of(Place place) {
  return static_cast<std::size_t>(place >> kOffsetBits);
}

// A Block holds whole lines of a log.
struct Block {
  std::size_t log = 0;
  Place place = 0;  // of the first line
  std::string_view lines;
  std::vector<char> buffer;
};

class Log {
 public:
  // "-" is standard input, which is copied to a file without a name if it is a pipe. "journal" and
  // "journal:/dir" mean the same as for LogReader. Throws CannotOpen and std::system_error.
  Log(std::size_t number, const std::string& path, const Config::Log& config);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Must be called only while no thread reads.
  void rewind();
  enum class Next { block, busy, end };
  // Thread-safe. If another thread is reading this log, it waits if `wait` is set, and otherwise
  // returns `busy`.
  [[nodiscard]] Next next(Block& block, bool wait);

  // Returns the context for the stamps at that offset. Thread-safe.
  [[nodiscard]] maillog::StampContext stamps(std::uint64_t offset) const;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t octets() const { return octets_; }  // of the file; 0 for a journal
  [[nodiscard]] std::uint64_t done() const { return done_; }      // in this pass
  [[nodiscard]] std::uint64_t octets_of_text() const;
  [[nodiscard]] std::string complaint() const;  // that of its OctetSource
  // Returns the first octets of the log, decompressed.
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
  std::unique_ptr<Sequence> sequence_;      // for a log that is read front to back
  std::atomic<std::uint64_t> position_{0};  // for any other log, where the next piece begins
  std::atomic<std::uint64_t> done_{0};
};

class LogSet {
 public:
  LogSet(const std::vector<std::string>& paths, const Config::Log& config);

  // Reads all lines once. It calls work(block, worker) from several threads at once, with worker <
  // workers(). An exception of one call ends all of them and is passed on. If `progress` is given,
  // one thread now and then calls it with the octets read so far and the octets of all logs.
  using Work = std::function<void(Block&, unsigned worker)>;
  using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;
  void scan(const Work& work, const Progress& progress = {});

  [[nodiscard]] unsigned workers() const { return workers_; }
  [[nodiscard]] std::size_t size() const { return logs_.size(); }
  [[nodiscard]] const Log& log(std::size_t number) const { return *logs_[number]; }
  [[nodiscard]] std::uint64_t octets() const;
  // Returns roughly how many octets they have when decompressed.
  [[nodiscard]] std::uint64_t octets_of_text() const;

 private:
  [[nodiscard]] bool next(Block& block);

  std::vector<std::unique_ptr<Log>> logs_;
  unsigned workers_;
};

}  // namespace mtrk::find

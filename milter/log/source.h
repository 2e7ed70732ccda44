#pragma once

#include "common/store/tracking_writer.h"
#include "milter/log/lines.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace mtrk {

// A LogSource reads a delivery log from a stored position on: a file that is rotated
// (FileLogSource) or the systemd journal (JournalLogSource). Both hand out syslog lines, each once,
// with the position after them. The position is stored together with what the lines did, so a
// restart continues exactly there.
//
// An object is used by one thread only, the one that made it. Nothing blocks except on the disk.
// Throws std::system_error for errors of the system, after which calling again is safe.
class LogSource {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t kMaxLine =
      // A longer line is skipped and counted.
      LogLines::kLongest;
  static constexpr std::size_t kChunk = 256 * 1024;          // about this many octets at once
  static constexpr std::size_t kWarmUp = LogLines::kWarmUp;  // octets before the position
  // The source is asked this often, whatever the watch says.
  static constexpr std::chrono::milliseconds kPoll{1000};

  LogSource() = default;
  virtual ~LogSource() = default;
  LogSource(const LogSource&) = delete;
  LogSource& operator=(const LogSource&) = delete;

  // Returns what stands shortly before the position, for LogLines::warm_up. To be called before
  // next().
  [[nodiscard]] virtual std::optional<LogLines> warm_up() = 0;
  // Returns the next lines, or a position that moved without lines; nothing if there is no more
  // now.
  [[nodiscard]] virtual std::optional<LogLines> next(Clock::time_point now) = 0;
  // Returns the position after what next() has handed out; before the first call of next(), where
  // the source begins. If there is no log yet, the position is all zero.
  [[nodiscard]] virtual store::LogCursor cursor() const = 0;
  [[nodiscard]] virtual std::string name() const = 0;  // of the cursor

  // To sleep until there is more, call watch(), call next() once more, poll the descriptor (-1 if
  // there is none) for reading, no longer than patience(), and call woken().
  virtual int watch() = 0;
  virtual void woken() = 0;
  [[nodiscard]] virtual std::chrono::milliseconds patience() const { return kPoll; }
};

}  // namespace mtrk

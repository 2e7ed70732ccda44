#pragma once

#include "common/store/tracking_writer.h"
#include "milter/log/lines.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace mtrk {

// Where a delivery log comes from, read from a stored position on: a file that is rotated
// (FileLogSource) or the systemd journal (JournalLogSource). Both hand out syslog lines, each once,
// with the position after them, which is stored with what the lines did: a restart continues
// exactly there.
//
// An object belongs to the thread that made it, to its end. Nothing blocks on anything but the
// disk. Errors of the system are std::system_error; calling again is safe.
class LogSource {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t kMaxLine =
      LogLines::kLongest;                                    // a longer one is skipped and counted
  static constexpr std::size_t kChunk = 256 * 1024;          // about so many octets at once
  static constexpr std::size_t kWarmUp = LogLines::kWarmUp;  // octets before the position
  static constexpr std::chrono::milliseconds kPoll{1000};    // whatever the watch says

  LogSource() = default;
  virtual ~LogSource() = default;
  LogSource(const LogSource&) = delete;
  LogSource& operator=(const LogSource&) = delete;

  // What stands shortly before the position, for LogLines::warm_up; to be called before next().
  [[nodiscard]] virtual std::optional<LogLines> warm_up() = 0;
  // The next lines, or a position that moved without lines; nothing if there is nothing more now.
  [[nodiscard]] virtual std::optional<LogLines> next(Clock::time_point now) = 0;
  // After what next() handed out; before its first call where it begins. Nothing there yet is a
  // position, too: all zero.
  [[nodiscard]] virtual store::LogCursor cursor() const = 0;
  [[nodiscard]] virtual std::string name() const = 0;  // of the cursor

  // To sleep until there is more: watch(), next() once more, poll the descriptor (-1 = none) for
  // reading no longer than patience(), woken().
  virtual int watch() = 0;
  virtual void woken() = 0;
  [[nodiscard]] virtual std::chrono::milliseconds patience() const { return kPoll; }
};

}  // namespace mtrk

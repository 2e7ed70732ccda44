#pragma once

#include "common/base/unique_fd.h"
#include "common/store/tracking_writer.h"
#include "milter/counters.h"
#include "milter/log_siblings.h"
#include "milter/store_queue.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace mtrk {

// Reads a log file that other programs write, rotate, truncate and compress, and hands out every
// complete line once, with the position after it (reliability B1–B5). The position is a file's
// identity (device, inode, checksum of its first octets) and an offset; it is stored with what the
// lines did, so that a restart continues exactly there.
//
//   renamed and created   the old file is read to its end and until it has been quiet for a while,
//                         then the new one from its start; files rotated while nobody looked are
//                         found among the siblings, oldest first, as long as they are not
//                         compressed
//   copytruncate          the file is shorter than the position, or starts differently: it is read
//                         from its start; what was not read before may be lost (a gap is counted),
//                         unless a sibling still holds it
//   half a line           waits for its line feed
//   line over 64 KiB      skipped and counted
//
// Never blocks on anything but the disk. Not thread-safe. Only `next` needs a clock, and only to
// see that a rotated file has become quiet. I/O errors throw std::system_error; calling again is
// safe.
class FileLogSource {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t kMaxLine = 64 * 1024;
  static constexpr std::size_t kChunk = 256 * 1024;
  static constexpr std::size_t kWarmUp = 1024 * 1024;
  static constexpr Clock::duration kGrace = std::chrono::seconds(2);
  // Enough if the next file has data: one writer does not go back.
  static constexpr Clock::duration kShortGrace = std::chrono::milliseconds(250);

  // Continues at `resume`; without it begins at the end of the file as it is now (at its start when
  // it does not exist yet), so nothing written after this constructor is missed.
  FileLogSource(std::string path,
                const std::optional<store::LogCursor>& resume,
                Counters& counters);

  // What stands shortly before the position, for LogLines::warm_up; call it before next().
  [[nodiscard]] std::optional<LogLines> warm_up() const;

  // The next complete lines, or a position that moved without lines (to the next file); nothing if
  // there is nothing more at the moment.
  [[nodiscard]] std::optional<LogLines> next(Clock::time_point now);

  [[nodiscard]] std::optional<store::LogCursor> cursor() const;  // nothing while there is no file
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string name() const { return "file:" + path_; }  // of the cursor
  // For a watch on new data; -1 while there is no file.
  [[nodiscard]] int newest_fd() const { return files_.empty() ? -1 : files_.back().fd.get(); }
  // A rotated file is being finished: ask again soon.
  [[nodiscard]] bool settling() const { return files_.size() > 1; }

 private:
  struct File {
    UniqueFd fd;
    FileId id;
    std::uint64_t offset = 0;       // after the last line handed out, or skipped to
    std::uint32_t head_octets = 0;  // covered by head_crc
    std::uint32_t head_crc = 0;
    bool skipping = false;  // inside a line that is too long
    bool closed = false;    // rotated before we looked: nobody writes to it any more
    std::optional<Clock::time_point> quiet_since;
  };

  void begin_at_end();
  void resume_at(const store::LogCursor& cursor);
  void adopt_current();
  std::optional<File> open_file(const std::string& path);
  std::optional<File> holds_position(const LogSibling& sibling, const store::LogCursor& cursor);
  void push_sibling(const LogSibling& sibling);
  [[nodiscard]] std::optional<LogLines> read_lines(File& file);
  void check_truncated(File& file);
  void extend_head(File& file, std::uint64_t size);
  [[nodiscard]] bool finished(File& file, Clock::time_point now) const;
  [[nodiscard]] LogLines make_lines(const File& file, std::string lines) const;
  [[nodiscard]] store::LogCursor cursor_of(const File& file) const;
  void gap(std::string_view why);

  std::string path_;
  Counters& counters_;
  std::deque<File> files_;  // to be read, oldest first; the last one is the present log file
  std::set<FileId> known_;  // siblings that were read, or were old when we began
  std::string buffer_;
  bool missing_logged_ = false;
};

}  // namespace mtrk

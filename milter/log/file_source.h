#pragma once

#include "milter/base/counters.h"
#include "milter/log/file.h"
#include "milter/log/file_watch.h"
#include "milter/log/siblings.h"
#include "milter/log/source.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace mtrk {

// Reads a log file that other programs write, rotate, truncate and compress, and hands out every
// complete line once, with the position after it (THR-B1 to THR-B5).
//
//   renamed and created   The old file is read to its end and until it has been quiet for a while,
//                         then the new one from its start. If a late line still comes to the old
//                         file, it is handed out until the next rotation. Files that were rotated
//                         while the milter did not run are found among the siblings and read,
//                         oldest first, unless they are compressed.
//   copytruncate          A file that is shorter than the position or begins otherwise is read from
//                         its start. What was not read before may be lost, and a gap is counted,
//                         unless a sibling still holds it.
//   half a line           It waits for its line feed.
//   line over 64 KiB      It is skipped and counted.
//
// Only next() needs a clock, and only to see that a rotated file has become quiet.
class FileLogSource final : public LogSource {
 public:
  static constexpr Clock::duration kGrace = std::chrono::seconds(2);
  // This is enough if the next file has data, because a writer does not go back.
  static constexpr Clock::duration kShortGrace = std::chrono::milliseconds(250);

  // Continues at `resume`. Without it the source begins at the end of the file as it is now; if
  // there is no file yet, after its youngest rotated generation, if any. So nothing is missed that
  // is written after this constructor.
  FileLogSource(std::string path,
                const std::optional<store::LogCursor>& resume,
                Counters& counters);

  [[nodiscard]] std::optional<LogLines> warm_up() override;
  [[nodiscard]] std::optional<LogLines> next(Clock::time_point now) override;
  [[nodiscard]] store::LogCursor cursor() const override;
  [[nodiscard]] std::string name() const override { return "file:" + path_; }
  int watch() override;
  void woken() override;
  [[nodiscard]] std::chrono::milliseconds patience() const override;
  // Returns true while a rotated file is being finished: ask again soon.
  [[nodiscard]] bool settling() const { return files_.size() > 1; }

 private:
  struct Queued {
    LogFile file;
    bool closed = false;  // rotated before we looked: it is not written to any more
    std::optional<Clock::time_point> quiet_since = std::nullopt;
  };
  // A Generation is a file over its renames. Inodes are used again, but with another time of birth.
  using Generation = std::pair<FileId, std::int64_t>;

  void begin_at_end();
  void resume_at(const store::LogCursor& cursor);
  void adopt_current();
  void adopt_generations(const FileId& current);
  bool push_sibling(const LogSibling& sibling);
  void know(const LogSibling& sibling) { known_.emplace(sibling.id, sibling.born_ns); }
  [[nodiscard]] bool is_queued(const FileId& id) const;
  std::optional<LogFile> open(const std::string& path);
  std::optional<LogFile> open_at(const LogSibling& sibling, const store::LogCursor& cursor);
  [[nodiscard]] std::optional<LogLines> take_lines(LogFile& file);
  void start_over();
  [[nodiscard]] bool finished(Queued& queued, Clock::time_point now) const;
  void leave_front();
  [[nodiscard]] LogLines make_lines(const LogFile& file, std::string lines) const;
  void gap(std::string_view why);

  std::string path_;
  Counters& counters_;
  // The watch is made when it is first needed, because giving one up is slow.
  std::optional<LogFileWatch> watch_;
  std::deque<Queued> files_;     // to be read, oldest first; the last one is the present log file
  std::optional<LogFile> left_;  // the file before; its writer may not know yet that it was renamed
  std::set<Generation> known_;   // siblings that were read, or were old when we began
  // Once this is set, a file that is new to us was written since.
  bool began_ = false;
  bool missing_logged_ = false;
};

}  // namespace mtrk

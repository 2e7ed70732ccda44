#pragma once

#include "common/base/journal.h"
#include "milter/base/counters.h"
#include "milter/log/journal_entry.h"
#include "milter/log/source.h"

#include <optional>
#include <string>
#include <string_view>

namespace mtrk {

// Reads the MTA's entries in the systemd journal as syslog lines. It hands out each entry for which
// journald itself vouches (milter/log/journal_entry.h) once, with the journal's cursor after it
// (THR-B11, THR-B12).
//
//   rotation              The source goes on in the next file.
//   vacuum                If the entry of the position is gone, the source goes on at the oldest
//   one
//                         that is newer, and counts a gap.
//   rate limit            "Suppressed N messages" of the MTA's unit counts as a gap and N
//   suppressed
//                         entries.
//   text over 64 KiB      It is skipped and counted.
//
// All entries are looked at; the journal is not asked to search. The position moves with the
// entries of other programs, too, so that it does not grow old where mail is rare, and forged
// entries are counted. A journal that cannot be read is tried again with each next().
class JournalLogSource final : public LogSource {
 public:
  static constexpr std::size_t kWarmUpEntries = 30'000;
  static constexpr std::size_t kMaxEntries = 20'000;  // looked at in one next()
  static constexpr Clock::duration kPositionEvery = std::chrono::seconds(30);

  // An empty `directory` is the journal of this system. Without `resume` the source begins after
  // the last entry.
  JournalLogSource(std::string directory,
                   JournalJudge judge,
                   const std::optional<store::LogCursor>& resume,
                   Counters& counters);

  // Begins at that position instead, in the files that are open already; this is for a process that
  // may not open them any more. To be called before warm_up(). Throws std::system_error.
  void go_to(const store::LogCursor& position);

  [[nodiscard]] std::optional<LogLines> warm_up() override;
  [[nodiscard]] std::optional<LogLines> next(Clock::time_point now) override;
  [[nodiscard]] store::LogCursor cursor() const override;
  [[nodiscard]] std::string name() const override;
  int watch() override;
  // Does nothing: next() sees what happened.
  void woken() override {}

 private:
  bool open();
  void locate();
  std::size_t read_entries(std::string& lines);
  bool catch_up();
  void read_entry();
  void take_entry(std::string& lines);
  [[nodiscard]] LogLines make_lines(std::string lines) const;
  void gap(std::string_view why, std::string_view detail);

  std::string directory_;
  JournalJudge judge_;
  Counters& counters_;
  std::optional<JournalReader> reader_;  // none while the journal cannot be read
  // This is the cursor of the last entry that was looked at; empty if there is none yet.
  std::string cursor_;
  std::string gone_;  // the position for which a gap was counted
  bool at_end_;       // whether to begin there
  JournalEntry entry_;
  // Since this time there were only entries of other programs.
  std::optional<Clock::time_point> moved_since_;
  bool missing_logged_ = false;
  int untrusted_logged_ = 0;
};

}  // namespace mtrk

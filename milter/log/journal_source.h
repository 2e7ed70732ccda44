#pragma once

#include "common/base/journal.h"
#include "milter/base/counters.h"
#include "milter/log/journal_entry.h"
#include "milter/log/source.h"

#include <optional>
#include <string>
#include <string_view>

namespace mtrk {

// The MTA's entries of the systemd journal as syslog lines: what journald itself vouches for
// (milter/log/journal_entry.h), each once, with the journal's cursor after them (THR-B11,
// THR-B12).
//
//   rotation              goes on in the next file
//   vacuum                if the entry of the position is gone, goes on at the oldest one that is
//                         newer, and counts a gap
//   rate limit            "Suppressed N messages" of the MTA's unit: a gap and N suppressed entries
//   text over 64 KiB      skipped and counted
//
// All entries are looked at, and none is searched for: the position moves on with those of others
// too, so that it does not grow old where mail is rare, and forged ones are counted. A journal that
// cannot be read is tried again with each next().
class JournalLogSource final : public LogSource {
 public:
  static constexpr std::size_t kWarmUpEntries = 30'000;
  static constexpr std::size_t kMaxEntries = 20'000;  // looked at in one next()
  static constexpr Clock::duration kPositionEvery = std::chrono::seconds(30);

  // `directory` empty: the journal of this system. Without `resume` begins behind the last entry.
  JournalLogSource(std::string directory,
                   JournalJudge judge,
                   const std::optional<store::LogCursor>& resume,
                   Counters& counters);

  // Begins at that position instead, in the files that are open already: for who may not open them
  // any more. Before warm_up(). Fails: std::system_error.
  void go_to(const store::LogCursor& position);

  [[nodiscard]] std::optional<LogLines> warm_up() override;
  [[nodiscard]] std::optional<LogLines> next(Clock::time_point now) override;
  [[nodiscard]] store::LogCursor cursor() const override;
  [[nodiscard]] std::string name() const override;
  int watch() override;
  void woken() override {}  // next() sees what happened

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
  std::string cursor_;                   // of the last entry that was looked at; empty = none yet
  std::string gone_;                     // the position a gap was counted for
  bool at_end_;                          // begin there
  JournalEntry entry_;
  std::optional<Clock::time_point> moved_since_;  // entries of others only, since then
  bool missing_logged_ = false;
  int untrusted_logged_ = 0;
};

}  // namespace mtrk

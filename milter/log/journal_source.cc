#include "milter/log/journal_source.h"

#include "common/base/log.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

namespace mtrk {
namespace {

constexpr int kShownUntrusted = 10;

}  // namespace

JournalLogSource::JournalLogSource(std::string directory,
                                   JournalJudge judge,
                                   const std::optional<store::LogCursor>& resume,
                                   Counters& counters)
    : directory_(std::move(directory)),
      judge_(std::move(judge)),
      counters_(counters),
      cursor_(resume ? resume->journal : std::string()),
      at_end_(!resume) {
  open();
  at_end_ = false;  // what comes from here on is new
}

std::string JournalLogSource::name() const {
  return directory_.empty() ? "journal" : "journal:" + directory_;
}

store::LogCursor JournalLogSource::cursor() const {
  store::LogCursor cursor;
  cursor.journal = cursor_;
  return cursor;
}

bool JournalLogSource::open() {
  if (reader_) {
    return true;
  }
  try {
    reader_.emplace(
        directory_.empty() ? JournalReader::Scope::system : JournalReader::Scope::directory,
        directory_);
    (void)reader_->fd();  // from here on, files that appear are noticed
    locate();
    missing_logged_ = false;
    counters_.log_unreadable = 0;
    return true;
  } catch (const std::system_error& error) {
    reader_.reset();
    counters_.log_unreadable = 1;
    if (!std::exchange(missing_logged_, true)) {
      log::error("", {{"log", name()}, {"error", error.what()}});
    }
    return false;
  }
}

void JournalLogSource::go_to(const store::LogCursor& position) {
  cursor_ = position.journal;
  if (open()) {
    locate();
  }
}

// Moves to the entry of the position, or before the one that follows it.
void JournalLogSource::locate() {
  if (!cursor_.empty()) {
    if (!reader_->seek(cursor_) && gone_ != cursor_) {
      gone_ = cursor_;
      gap("the entry of the last position is gone", {});
    }
    return;
  }
  if (std::exchange(at_end_, false)) {
    reader_->seek_end();
    if (reader_->on_entry()) {
      cursor_ = reader_->cursor();
    } else {
      log::warning("", {{"log", name()}, {"state", "no entries that can be read, so far"}});
    }
  }
}

std::optional<LogLines> JournalLogSource::warm_up() {
  if (!open() || !reader_->on_entry()) {
    return std::nullopt;
  }
  std::string lines;
  for (std::size_t left = reader_->back(kWarmUpEntries) + 1; left > 0; --left) {
    read_entry();
    if (judge_.judge(entry_) == JournalWorth::line && entry_.message.size() <= kMaxLine) {
      append_syslog_line(entry_, lines);
    }
    if (left > 1 && !reader_->next()) {
      break;
    }
  }
  if (lines.size() > kWarmUp) {
    lines.erase(0, lines.find('\n', lines.size() - kWarmUp) + 1);
  }
  if (lines.empty()) {
    return std::nullopt;
  }
  LogLines result = make_lines(std::move(lines));
  result.warm_up = true;
  return result;
}

std::optional<LogLines> JournalLogSource::next(Clock::time_point now) try {
  if (!open()) {
    return std::nullopt;
  }
  std::string lines;
  std::size_t looked_at = read_entries(lines);
  if (looked_at == 0 && catch_up()) {
    looked_at = read_entries(lines);
  }
  if (looked_at > 0) {
    cursor_ = reader_->cursor();
    moved_since_ = moved_since_.value_or(now);
  }
  const bool position_due =
      looked_at == kMaxEntries || (moved_since_ && now - *moved_since_ >= kPositionEvery);
  if (lines.empty() && !position_due) {
    return std::nullopt;
  }
  moved_since_.reset();
  return make_lines(std::move(lines));
} catch (const std::system_error&) {
  reader_.reset();  // it will be opened again at the position
  throw;
}

// Returns how many entries it looked at.
std::size_t JournalLogSource::read_entries(std::string& lines) {
  std::size_t count = 0;
  while (lines.size() < kChunk && count < kMaxEntries && reader_->next()) {
    read_entry();
    take_entry(lines);
    ++count;
  }
  return count;
}

// Looks at what happened to the files. Returns true if there may be more entries now.
bool JournalLogSource::catch_up() {
  const JournalReader::Change change = reader_->take_change();
  if (change == JournalReader::Change::files) {
    locate();
  }
  return change != JournalReader::Change::none;
}

int JournalLogSource::watch() {
  return open() ? reader_->fd() : -1;
}

void JournalLogSource::read_entry() {
  entry_.clear();
  while (const std::optional<std::string_view> field = reader_->next_field()) {
    entry_.set(*field);
  }
  if (entry_.at == LogTime()) {
    entry_.at = reader_->realtime();
  }
}

void JournalLogSource::take_entry(std::string& lines) {
  switch (judge_.judge(entry_)) {
    case JournalWorth::line:
      if (entry_.message.size() > kMaxLine) {
        count(counters_.truncated);
      } else {
        append_syslog_line(entry_, lines);
      }
      return;
    case JournalWorth::untrusted:
      count(counters_.untrusted);
      if (untrusted_logged_ < kShownUntrusted) {
        ++untrusted_logged_;
        log::warning("", {{"log", name()},
                          {"untrusted", entry_.identifier},
                          {"uid", entry_.uid},
                          {"program", entry_.program}});
      }
      return;
    case JournalWorth::suppressed:
      count(counters_.suppressed, suppressed_entries(entry_));
      gap("journald suppressed entries", entry_.message);
      return;
    case JournalWorth::other:
      return;
  }
}

LogLines JournalLogSource::make_lines(std::string lines) const {
  LogLines result;
  result.source = name();
  result.lines = std::move(lines);
  result.cursor.journal = cursor_;
  return result;
}

void JournalLogSource::gap(std::string_view why, std::string_view detail) {
  count(counters_.gaps);
  if (detail.empty()) {
    log::warning("", {{"log", name()}, {"gap", why}});
  } else {
    log::warning("", {{"log", name()}, {"gap", why}, {"journald", detail}});
  }
}

}  // namespace mtrk

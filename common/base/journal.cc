#include "common/base/journal.h"

#include <fmt/format.h>
#include <systemd/sd-journal.h>

#include <cstdint>
#include <cstdlib>
#include <system_error>

namespace mtrk {
namespace {

// libsystemd reports an error as a negated errno value.
int check(int result, const char* what) {
  if (result < 0) {
    throw std::system_error(-result, std::generic_category(), what);
  }
  return result;
}

}  // namespace

void JournalReader::Close::operator()(sd_journal* journal) const {
  sd_journal_close(journal);
}

JournalReader::JournalReader(Scope scope, const std::string& directory) {
  sd_journal* journal = nullptr;
  // The journals of users are left out: users may write anything into them.
  check(scope == Scope::system
            ? sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM)
            : sd_journal_open_directory(&journal, directory.c_str(), 0),
        "opening the journal");
  journal_.reset(journal);
  check(sd_journal_set_data_threshold(journal, kMaxField), "opening the journal");
  check(sd_journal_seek_head(journal), "reading the journal");
}

void JournalReader::only(std::string_view field, std::span<const std::string_view> values) {
  for (const std::string_view value : values) {
    const std::string match = fmt::format("{}={}", field, value);
    check(sd_journal_add_match(journal_.get(), match.data(), match.size()), "journal match");
  }
}

bool JournalReader::seek(const std::string& cursor) {
  on_entry_ = ahead_ = false;
  check(sd_journal_seek_cursor(journal_.get(), cursor.c_str()), "finding a place in the journal");
  if (check(sd_journal_next(journal_.get()), "reading the journal") == 0) {
    return false;
  }
  on_entry_ = check(sd_journal_test_cursor(journal_.get(), cursor.c_str()), "journal cursor") > 0;
  ahead_ = !on_entry_;
  return on_entry_;
}

void JournalReader::seek_end() {
  ahead_ = false;
  check(sd_journal_seek_tail(journal_.get()), "reading the journal");
  on_entry_ = check(sd_journal_previous(journal_.get()), "reading the journal") > 0;
  if (!on_entry_) {
    check(sd_journal_seek_head(journal_.get()), "reading the journal");
  }
}

bool JournalReader::next() {
  if (ahead_) {
    ahead_ = false;
    on_entry_ = true;
    sd_journal_restart_data(journal_.get());
    return true;
  }
  if (check(sd_journal_next(journal_.get()), "reading the journal") == 0) {
    return false;
  }
  on_entry_ = true;
  sd_journal_restart_data(journal_.get());
  return true;
}

std::size_t JournalReader::back(std::size_t count) {
  const int moved = check(sd_journal_previous_skip(journal_.get(), count), "reading the journal");
  sd_journal_restart_data(journal_.get());
  return static_cast<std::size_t>(moved);
}

std::string JournalReader::cursor() const {
  char* text = nullptr;
  check(sd_journal_get_cursor(journal_.get(), &text), "journal cursor");
  const std::unique_ptr<char, decltype(&std::free)> owned(text, &std::free);
  return text;
}

LogTime JournalReader::realtime() const {
  std::uint64_t at = 0;
  check(sd_journal_get_realtime_usec(journal_.get(), &at), "reading the journal");
  return LogTime(Microseconds(static_cast<std::int64_t>(at)));
}

std::optional<std::string_view> JournalReader::next_field() {
  const void* data = nullptr;
  std::size_t length = 0;
  if (check(sd_journal_enumerate_available_data(journal_.get(), &data, &length),
            "reading the journal") == 0) {
    return std::nullopt;
  }
  return std::string_view(static_cast<const char*>(data), length);
}

int JournalReader::fd() {
  return check(sd_journal_get_fd(journal_.get()), "watching the journal");
}

JournalReader::Change JournalReader::take_change() {
  switch (check(sd_journal_process(journal_.get()), "watching the journal")) {
    case SD_JOURNAL_NOP:
      return Change::none;
    case SD_JOURNAL_APPEND:
      return Change::appended;
    default:
      return Change::files;
  }
}

}  // namespace mtrk

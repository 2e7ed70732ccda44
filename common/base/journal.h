#pragma once

#include "common/base/time.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct sd_journal;

namespace mtrk {

// systemd's journal, read entry by entry over libsystemd: that of this system, or the files of one
// directory. Entries come in the journal's order across rotated files; new files are taken in as
// they appear. An object belongs to the thread that made it, to its end (sd-journal(3)). Failures
// are std::system_error. Entries of damaged files are skipped by libsystemd.
class JournalReader {
 public:
  enum class Scope { system, directory };

  // Stands before the first entry. `directory` is used with Scope::directory only.
  explicit JournalReader(Scope scope, const std::string& directory = {});

  // From now on only entries whose field has one of the values; before any other call.
  void only(std::string_view field, std::span<const std::string_view> values);

  // Stands on the entry of that cursor; false if it is not there any more: then before the oldest
  // one that is newer. Fails if it is no cursor.
  [[nodiscard]] bool seek(const std::string& cursor);
  void seek_end();  // stands on the last entry
  // Steps to the next entry; false if there is none yet.
  [[nodiscard]] bool next();
  // Steps back over at most `count` entries; how many it were.
  [[nodiscard]] std::size_t back(std::size_t count);

  // Of the entry it stands on, if any.
  [[nodiscard]] bool on_entry() const { return on_entry_; }
  [[nodiscard]] std::string cursor() const;
  [[nodiscard]] LogTime realtime() const;
  // The fields "NAME=value" one by one, from the first after every step; a value may be any octets,
  // cut at kMaxField. The view lives until the next call of anything here.
  [[nodiscard]] std::optional<std::string_view> next_field();

  // Becomes readable when something may have changed; take_change() then says what.
  [[nodiscard]] int fd();
  enum class Change { none, appended, files };  // files: some came or went (rotation, vacuum)
  Change take_change();

  static constexpr std::size_t kMaxField = 68 * 1024;

 private:
  struct Close {
    void operator()(sd_journal* journal) const;
  };
  std::unique_ptr<sd_journal, Close> journal_;
  bool on_entry_ = false;
  bool ahead_ = false;  // the entry the library stands on is the one that next() gives
};

}  // namespace mtrk

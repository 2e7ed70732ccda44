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

// A JournalReader reads systemd's journal entry by entry with libsystemd: the journal of this
// system, or the journal files in one directory. Entries come in the journal's order across rotated
// files, and new files are included as they appear. libsystemd skips the entries of damaged files.
// An object belongs to the thread that made it (sd-journal(3)). Every function throws
// std::system_error if libsystemd reports a failure.
class JournalReader {
 public:
  enum class Scope { system, directory };

  // The reader stands before the first entry. `directory` is used with Scope::directory only.
  explicit JournalReader(Scope scope, const std::string& directory = {});

  // Restricts the reader to entries in which `field` has one of `values`. It must be called before
  // any other function.
  void only(std::string_view field, std::span<const std::string_view> values);

  // Moves to the entry with this cursor and returns true. If that entry no longer exists, moves to
  // just before the oldest entry that is newer, and returns false. Throws if `cursor` is malformed.
  [[nodiscard]] bool seek(const std::string& cursor);
  void seek_end();  // moves to the last entry
  // Moves to the next entry. Returns false if there is none yet.
  [[nodiscard]] bool next();
  // Moves back by at most `count` entries and returns by how many.
  [[nodiscard]] std::size_t back(std::size_t count);

  // on_entry() says whether the reader stands on an entry; the functions below describe that entry.
  [[nodiscard]] bool on_entry() const { return on_entry_; }
  [[nodiscard]] std::string cursor() const;
  [[nodiscard]] LogTime realtime() const;
  // Returns the next field as "NAME=value", or nothing after the last one; every move starts again
  // with the first field. A value may hold any octets and is cut at kMaxField. The view is valid
  // until the next call of any function of this object.
  [[nodiscard]] std::optional<std::string_view> next_field();

  // The descriptor becomes readable when something may have changed; take_change() then says what.
  [[nodiscard]] int fd();
  // `files` means that files were added or removed (rotation, vacuum).
  enum class Change { none, appended, files };
  Change take_change();

  static constexpr std::size_t kMaxField = 68 * 1024;

 private:
  struct Close {
    void operator()(sd_journal* journal) const;
  };
  std::unique_ptr<sd_journal, Close> journal_;
  bool on_entry_ = false;
  bool ahead_ = false;  // libsystemd stands on the entry that next() is to return
};

}  // namespace mtrk

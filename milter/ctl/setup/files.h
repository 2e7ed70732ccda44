#pragma once

#include "common/base/expected.h"
#include "milter/ctl/setup/plan.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// These functions handle the files of a set-up on disk. Each file is replaced as a whole, so a
// reader finds the old file or the new one, even if this process is killed at any moment.
namespace mtrk::setup {

// A RealFile is a file where it really is, because main.cf may be a link into a folder of the
// administrator's. Opening it fails if it does not exist, cannot be read, is not a regular file, or
// has more than 16 MiB.
struct RealFile {
  std::string path;
  std::string text;
};
[[nodiscard]] Expected<RealFile> read_real_file(const std::string& path);

// Makes `change` if the file still has the text for which it was planned. Owner, group and mode
// stay the same, and the new file is on disk when this returns. Fails with a sentence that begins
// with the path, and then nothing is changed.
[[nodiscard]] Expected<void> replace_file(const FileChange& change);

// Removes what a killed set-up left next to the file.
void remove_leftover(const std::string& path);

// SavedFiles records what set-ups changed and what it was before, with one file for each in a
// folder that belongs to root, /etc/mtrk/setup. No other process can use the folder while this
// object lives.
class SavedFiles {
 public:
  // Opens the folder, and makes it if `make` is set. Fails if it cannot be made or is in use.
  [[nodiscard]] static Expected<SavedFiles> open(const std::string& folder, bool make);

  [[nodiscard]] const std::vector<SavedFile>& all() const { return files_; }
  [[nodiscard]] const SavedFile* find(const std::string& path) const;

  // Must be called before the file is changed. It replaces what was saved of this file before.
  [[nodiscard]] Expected<void> save(const SavedFile& saved);
  // Must be called after the change was undone. The folder is removed with its last file.
  void forget(const std::string& path);

  SavedFiles(SavedFiles&& other) noexcept;
  SavedFiles& operator=(SavedFiles&&) = delete;
  SavedFiles(const SavedFiles&) = delete;
  SavedFiles& operator=(const SavedFiles&) = delete;
  ~SavedFiles();

 private:
  SavedFiles(std::string folder, int fd) : folder_(std::move(folder)), fd_(fd) {}
  [[nodiscard]] std::string path_for(const std::string& path) const;

  std::string folder_;
  int fd_ = -1;  // -1 if there is no folder and nothing was saved
  std::vector<SavedFile> files_;
};

}  // namespace mtrk::setup

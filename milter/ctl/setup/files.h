#pragma once

#include "common/base/expected.h"
#include "milter/ctl/setup/plan.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The files of a set-up on disk. Each is replaced as a whole: whoever reads it, and whenever this
// process is killed, finds the old one or the new one.
namespace mtrk::setup {

// A file where it really is: main.cf may be a link into a folder of the administrator's. Fails:
// there is none, or it cannot be read, is no regular file, or has more than 16 MiB.
struct RealFile {
  std::string path;
  std::string text;
};
[[nodiscard]] Expected<RealFile> read_real_file(const std::string& path);

// Makes `change`, if the file still has the text it was planned with; owner, group and mode stay.
// On disk when it returns. Fails with a sentence that begins with the path, and nothing is changed
// then.
[[nodiscard]] Expected<void> replace_file(const FileChange& change);

// Removes what a set-up that was killed left beside the file.
void remove_leftover(const std::string& path);

// What set-ups changed and how it was before: one file each in a folder that is root's,
// /etc/mtrk/setup. While this lives nobody else has it.
class SavedFiles {
 public:
  // Makes the folder if `make` is set. Fails: it cannot be made or is in use.
  [[nodiscard]] static Expected<SavedFiles> open(const std::string& folder, bool make);

  [[nodiscard]] const std::vector<SavedFile>& all() const { return files_; }
  [[nodiscard]] const SavedFile* find(const std::string& path) const;

  // Before the file is changed. What was saved of it is replaced.
  [[nodiscard]] Expected<void> save(const SavedFile& saved);
  // After it was undone; the folder goes with its last file.
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
  int fd_ = -1;  // -1: there is no folder, and nothing was saved
  std::vector<SavedFile> files_;
};

}  // namespace mtrk::setup

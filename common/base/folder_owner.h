#pragma once

#include <sys/types.h>

#include <string>

namespace mtrk {

struct FolderOwner {
  uid_t user;
  gid_t group;
  bool closed;  // nobody else may put anything there, or take the place of what is to be made there
};

// Whose the folder at `path` is, for a root who is about to write there; of one that is not there
// yet, whose the nearest existing folder above it is.
//
// The way there is walked folder by folder, each opened within the one before, so that what is
// judged is what was walked. Where it has entered a folder that somebody else than root owns, it
// may not leave that owner again, by a symbolic link or otherwise: else that owner would choose in
// whose name root acts. Fails: std::system_error; with EPERM if the way does that, with ELOOP over
// 40 links, with ENOTDIR where there is no folder. `path` is absolute or from the current folder.
[[nodiscard]] FolderOwner owner_of_folder(const std::string& path);

}  // namespace mtrk

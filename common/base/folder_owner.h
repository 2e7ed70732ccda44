#pragma once

#include <sys/types.h>

#include <string>

namespace mtrk {

struct FolderOwner {
  uid_t user;
  gid_t group;
  // Only this user can create files in the folder, or replace the file that is to be created there.
  bool closed;
};

// owner_of_folder() lets a process that runs as root find out whose folder it is about to write to.
// It returns the owner of the folder at `path` or, if that does not exist yet, of the nearest
// existing folder above it. `path` is absolute or relative to the current folder.
//
// The function opens the folders on the path one by one, each relative to the one before, so the
// folders that it checks are the folders that it passes. Once the path has entered a folder whose
// owner is not root, it must not leave the folders of that owner again, neither by a symbolic link
// nor otherwise: that owner could then choose in whose name root acts. Throws std::system_error:
// EPERM if the path breaks this rule, ELOOP if it has more than 40 links, ENOTDIR if it passes
// something that is not a folder.
[[nodiscard]] FolderOwner owner_of_folder(const std::string& path);

}  // namespace mtrk

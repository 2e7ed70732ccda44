#pragma once

#include "common/base/unique_fd.h"

#include <sys/stat.h>

#include <string>

// These functions prepare the files of a store's folder before and after LMDB opens them. LMDB
// opens them by name, follows symbolic links and applies the umask; so owner and mode are set here,
// by descriptor and never by path.
//
// These checks report clearly what is wrong. They are not what makes a trap in the folder harmless:
// nobody opens a store there with more rights than the owner of the folder has. Root is refused if
// the folder belongs to another user, and mtrkctl becomes that user first
// (milter/ctl/privileges.h).
namespace mtrk::store {

inline constexpr mode_t kStoreFolderMode = 02750;
inline constexpr mode_t kStoreDataMode = 0640;
inline constexpr mode_t kStoreLockMode = 0600;  // only for writers (lmdb.h)

// Creates the folder with its mode. Returns false and sets errno if that fails.
[[nodiscard]] bool make_store_folder(const std::string& path);

// Prepares the files before LMDB opens them. No store of that folder may be open in this process,
// because closing a descriptor of the lock file would end LMDB's locks. For a writer, creates the
// lock file, or replaces it if others than its owner may have it open for writing, and returns
// writer.lock, which writers lock against each other. For a reader, returns nothing. Throws
// StoreUnusable if one of the files is a symbolic link or no regular file, or if this process is
// root's and the folder belongs to another user.
[[nodiscard]] UniqueFd prepare_store_files(const std::string& path,
                                           const struct stat& folder,
                                           bool writes);

// Sets group and mode of the data file that LMDB has created, by its descriptor, if the file
// belongs to this user. Throws StoreUnusable if that fails.
void finish_store_file(int data_file, const struct stat& folder, const std::string& path);

}  // namespace mtrk::store

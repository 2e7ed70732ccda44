#pragma once

#include "common/base/unique_fd.h"

#include <sys/stat.h>

#include <string>

// The files of a store's folder before and after LMDB opens them by their names, which follows
// symbolic links and heeds the umask. Owner and mode are set on descriptors, never by a path.
//
// These checks say clearly what is wrong; what makes a trap in the folder harmless is that nobody
// opens a store there with more rights than the folder's owner has: root is refused where the
// folder is another user's, and mtrkctl becomes that user first (milter/ctl/privileges.h).
namespace mtrk::store {

inline constexpr mode_t kStoreFolderMode = 02750;
inline constexpr mode_t kStoreDataMode = 0640;
inline constexpr mode_t kStoreLockMode = 0600;  // nobody's but the writers' (lmdb.h)

// Makes the folder with its mode. False, with errno, if that fails.
[[nodiscard]] bool make_store_folder(const std::string& path);

// Before LMDB opens them, and while no store of that folder is open in this process (closing a
// descriptor of the lock file would end LMDB's locks). Makes the lock file for a writer, and makes
// it anew where others than its owner may have it open to write. Returns writer.lock, which writers
// lock for each other; nothing for a reader. Fails: StoreUnusable, if one of them is a symbolic
// link or no regular file, or the folder is another user's and this process is root's.
[[nodiscard]] UniqueFd prepare_store_files(const std::string& path,
                                           const struct stat& folder,
                                           bool writes);

// The data file as LMDB made it, by its descriptor.
void finish_store_file(int data_file, const struct stat& folder, const std::string& path);

}  // namespace mtrk::store

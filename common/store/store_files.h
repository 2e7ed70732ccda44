#pragma once

#include <string>

// These functions work on the files of a store while no environment of this process is open.
namespace mtrk::store {

// Makes sure that all octets of lock.mdb are on the disk. LMDB creates it as a hole and maps it, so
// on a full disk the first access would raise SIGBUS. A file that was truncated is filled with
// zeros again, which tells processes that have it mapped to open it anew (Env::agrees()). Throws
// std::system_error.
void reserve_lock_file(const std::string& directory);

// Makes the next environment create a new lock.mdb; processes that have the old one open notice
// this. To be called after a writer hung or was killed, because the cause may be in that file.
// Throws std::system_error.
void renew_lock_file(const std::string& directory);

// Renames data.mdb to data.mdb.bad-TIME and removes lock.mdb, so that the next writer creates a new
// store. Of the files set aside before, the newest kKeptAside are kept. Returns the new name
// without the directory, or an empty string if there was no data.mdb. Throws std::system_error.
inline constexpr std::size_t kKeptAside = 3;
std::string set_store_aside(const std::string& directory);

// Reads all rows of all databases as one reader, for the owner of the store, and checks that LMDB
// can find them and that the keys are in order. Returns what is wrong, or an empty string. May fail
// in any way in which LMDB may fail on octets that anybody may have written. Therefore it is only
// for a process that does nothing else.
std::string check_store(const std::string& directory);

// Does the same in a child process. A store on which the check crashes counts as damaged. To be
// called while this process has only one thread.
std::string check_store_apart(const std::string& directory);

}  // namespace mtrk::store

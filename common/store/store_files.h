#pragma once

#include <string>

// What is done to the files of a store as such, while no environment of this process is open.
namespace mtrk::store {

// Sees to it that lock.mdb has all its octets on the disk. LMDB makes it as a hole and maps it: on
// a full disk the first access would be SIGBUS. One that somebody cut off gets zeros again, which
// tells those who have it mapped to open it anew (Env::agrees). Fails: std::system_error.
void reserve_lock_file(const std::string& directory);

// The next environment makes a new lock.mdb; those who have the old one open notice. To be done
// when a writer hung, or died of something: what it waited for may be in there.
// Fails: std::system_error.
void renew_lock_file(const std::string& directory);

// Renames data.mdb to data.mdb.bad-TIME, and removes lock.mdb: the next writer makes a new store.
// Of those set aside the newest kKeptAside stay. The new name, without the directory; empty if
// there was no data.mdb. Fails: std::system_error.
inline constexpr std::size_t kKeptAside = 3;
std::string set_store_aside(const std::string& directory);

// Walks all rows of all databases as one reader, for the store's owner: whether LMDB finds its way,
// and keys are in order. What is wrong, empty if nothing is. May fail in any way that LMDB may fail
// on octets that anybody can have written: only for a process that has nothing else to do.
std::string check_store(const std::string& directory);

// The same in a child process: a store that makes the check die is damaged, too. To be called while
// this process has one thread.
std::string check_store_apart(const std::string& directory);

}  // namespace mtrk::store

#pragma once

#include "common/base/unique_fd.h"

#include <string>
#include <string_view>

// Reads and writes the user's own files of mtqp. They hold secrets and say who wrote to whom, so
// only the user may read them (MTRK-4.2-02). The functions throw std::system_error, which names the
// path.
namespace mtrk::cli {

// Returns $XDG_STATE_HOME/mtqp/<name>, or else ~/.local/state/mtqp/<name>. Empty if neither
// variable is set.
[[nodiscard]] std::string state_file_path(std::string_view name);

// Makes the folder of `path` (mode 0700) and, where need be, those above it.
void make_private_folder(const std::string& path);

// Opens a regular file of this user that only the user may read. O_CREAT in `flags` creates it with
// mode 0600. Throws if the file is a symbolic link, belongs to another user, or gives others any
// permission.
[[nodiscard]] UniqueFd open_private(const std::string& path, int flags);

// Waits until no other process has locked the file. The lock lasts until `fd` is closed.
void lock_exclusively(const UniqueFd& fd, const std::string& path);

// Returns the whole file, but at most `limit` octets; empty if there is no file.
[[nodiscard]] std::string read_private(const std::string& path, std::size_t limit);

// Writes all of `text`, or throws.
void write_all(const UniqueFd& fd, std::string_view text, const std::string& path);

// Makes sure, as far as the system allows, that a new entry of the folder of `path` is on disk.
void sync_folder_of(const std::string& path) noexcept;

}  // namespace mtrk::cli

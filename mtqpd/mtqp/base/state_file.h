#pragma once

#include "common/base/unique_fd.h"

#include <string>
#include <string_view>

// The user's own files of mtqp: they hold secrets and who wrote to whom, so nobody else may read
// them (MTRK-4.2-02). Errors are std::system_error naming the path.
namespace mtrk::cli {

// $XDG_STATE_HOME/mtqp/<name>, else ~/.local/state/mtqp/<name>. Empty if neither is set.
[[nodiscard]] std::string state_file_path(std::string_view name);

// Makes the folder of `path` (0700) and, if need be, those above.
void make_private_folder(const std::string& path);

// Opens a regular file of this user that nobody else may read; O_CREAT in `flags` creates it with
// mode 0600. Refuses symbolic links, other users' files and others' permissions.
[[nodiscard]] UniqueFd open_private(const std::string& path, int flags);

// Others that lock the same file wait until `fd` is closed.
void lock_exclusively(const UniqueFd& fd, const std::string& path);

// The whole file, at most `limit` octets of it. Empty if there is none.
[[nodiscard]] std::string read_private(const std::string& path, std::size_t limit);

// All of `text` or an error.
void write_all(const UniqueFd& fd, std::string_view text, const std::string& path);

// A new entry of the folder of `path` is on disk, as far as the system can tell.
void sync_folder_of(const std::string& path) noexcept;

}  // namespace mtrk::cli

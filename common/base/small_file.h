#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// Small files that one program leaves for another in a folder which neither may trust: counters.
// The last component of a path is never followed if it is a symbolic link, and nothing but a
// regular file is read: a FIFO in its place would be waited for.
namespace mtrk {

// Replaces `path` by a file with `text`, as a whole (no fsync: for what is rewritten all the time).
// On the way it is `path`.new, made anew: what stands there is removed, never written to. The
// folder is looked up once. Returns 0, or the error's number. Never throws.
[[nodiscard]] int replace_small_file(const std::string& path,
                                     std::string_view text,
                                     mode_t mode) noexcept;

// The file's first octets, at most `limit`; nothing, with errno, if there is no such regular file.
[[nodiscard]] std::optional<std::string> read_small_file(const std::string& path,
                                                         std::size_t limit);

}  // namespace mtrk

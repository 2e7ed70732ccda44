#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// These functions exchange small files, such as counters, between programs over a folder that
// neither of them may trust. A symbolic link in place of the file is never followed, and only a
// regular file is read: opening a FIFO would block.
namespace mtrk {

// Replaces `path` atomically by a file with the content `text`. There is no fsync, because such
// files are rewritten all the time. The content is first written to a new file `path`.new; whatever
// has that name is removed, never written to. The folder is looked up only once. Returns 0 or an
// errno value, and never throws.
[[nodiscard]] int replace_small_file(const std::string& path,
                                     std::string_view text,
                                     mode_t mode) noexcept;

// Returns the first octets of the file, at most `limit`. Returns nothing and sets errno if there is
// no such regular file.
[[nodiscard]] std::optional<std::string> read_small_file(const std::string& path,
                                                         std::size_t limit);

// Writes all of `text`, however many calls it takes. Returns false and sets errno if it cannot;
// then a part of it may be written.
[[nodiscard]] bool write_whole(int fd, std::string_view text) noexcept;

}  // namespace mtrk

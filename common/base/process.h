#pragma once

#include <sys/types.h>

#include <exception>
#include <string_view>

// What every program of ours does with its own process: first of all, last of all, and when it
// gives up being root.
namespace mtrk {

// Opens /dev/null wherever descriptor 0, 1 or 2 is closed. Without this the next file that is
// opened, the store say, would be "standard error", and messages would be written into it. To be
// called before anything else of main(); ends the process with exit_code::os_error if even that
// cannot be had.
void open_standard_descriptors() noexcept;

// No core file, not by a pipe of core_pattern either; no ptrace(2) and no /proc/<pid>/mem for other
// processes of the same user. For processes that hold secrets, mail, or descriptors of a better
// user than the one they run as.
void forbid_dumps() noexcept;

// Writes out what is left of standard output. Returns `code`, or exit_code::io_error if any of the
// output was lost since the program began; standard error says why, unless the reader has gone
// (EPIPE), who does not care. To be the last word of main().
[[nodiscard]] int finish_output(std::string_view program, int code) noexcept;
// Whether `error` is about standard output, so that finish_output() will say what there is to say.
[[nodiscard]] bool is_output_error(const std::exception& error) noexcept;

// Turns root into another account for good: all user and group ids, no supplementary groups, no
// capability, none to be had by exec(2), no dumps. Only while there is one thread. Fails:
// std::system_error, in which case the process is to end, as it may be neither the one nor the
// other; std::invalid_argument for user or group 0.
void become_account(uid_t user, gid_t group);

}  // namespace mtrk

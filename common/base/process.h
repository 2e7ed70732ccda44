#pragma once

#include <sys/types.h>

#include <exception>
#include <string_view>

// These functions are what every program does with its own process: at its start, at its end, and
// when it gives up root.
namespace mtrk {

// Opens /dev/null for each of the descriptors 0, 1 and 2 that is closed. Otherwise the next file
// that is opened (the store, for example) would become standard error, and messages would be
// written into it. Must be called before anything else in main(). Ends the process with
// exit_code::os_error if /dev/null cannot be opened.
void open_standard_descriptors() noexcept;

// Disables core dumps, also those by a pipe in core_pattern, and keeps other processes of the same
// user from ptrace(2) and /proc/<pid>/mem. It is for processes that hold secrets, mail, or
// descriptors of a more privileged user than their own.
void forbid_dumps() noexcept;

// Flushes standard output. Returns `code`, or exit_code::io_error if any output was lost since the
// program began; the reason is then printed to standard error, unless the reader has closed the
// pipe (EPIPE). Must be the last call in main().
[[nodiscard]] int finish_output(std::string_view program, int code) noexcept;
// Returns whether `error` is a failure of standard output, which finish_output() will report.
[[nodiscard]] bool is_output_error(const std::exception& error) noexcept;

// Turns a process of root into one of another account for good: it changes all user and group ids,
// drops the supplementary groups and all capabilities, rules out new ones by exec(2), and forbids
// dumps. Must be called while there is only one thread. Throws std::invalid_argument if `user` or
// `group` is 0, and std::system_error if a step fails; the process must then end, because it may be
// partly root.
void become_account(uid_t user, gid_t group);

}  // namespace mtrk

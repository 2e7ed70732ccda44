#pragma once

// These are the exit codes of all programs: those of sysexits(3), which Postfix uses as well. The
// numbers are a contract (the systemd units name 64 and 78 in RestartPreventExitStatus), so they
// are defined here and not taken from <sysexits.h>.
namespace mtrk::exit_code {

// NOLINTBEGIN(readability-identifier-naming): `exit_code::config` reads better than a k.
inline constexpr int ok = 0;
inline constexpr int usage = 64;        // bad command line
inline constexpr int data_error = 65;   // bad input data, for example a line of an import
inline constexpr int no_input = 66;     // an input file is missing or unreadable
inline constexpr int unavailable = 69;  // a service or function that is needed is not available
inline constexpr int software = 70;     // an internal error
inline constexpr int os_error = 71;     // fork, pipe, memory …
inline constexpr int cant_create = 73;  // an output file or socket cannot be created
inline constexpr int io_error = 74;     // reading or writing failed
inline constexpr int temp_fail = 75;    // try again later
inline constexpr int no_permission = 77;
inline constexpr int config = 78;  // file:line:column is on standard error
// NOLINTEND(readability-identifier-naming)

}  // namespace mtrk::exit_code

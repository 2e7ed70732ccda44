#pragma once

// What our programs exit with: sysexits(3), as Postfix and its neighbours do. The numbers are a
// contract (units name 64 and 78 in RestartPreventExitStatus), hence not <sysexits.h>'s macros.
namespace mtrk::exit_code {

// NOLINTBEGIN(readability-identifier-naming): `exit_code::config` reads better than a k.
inline constexpr int ok = 0;
inline constexpr int usage = 64;        // bad command line
inline constexpr int data_error = 65;   // bad input data, for example a line of an import
inline constexpr int no_input = 66;     // an input file is missing or unreadable
inline constexpr int unavailable = 69;  // a needed service or function is not there
inline constexpr int software = 70;     // a bug of ours
inline constexpr int os_error = 71;     // fork, pipe, memory …
inline constexpr int cant_create = 73;  // an output file or socket cannot be created
inline constexpr int io_error = 74;     // reading or writing failed
inline constexpr int temp_fail = 75;    // try again later
inline constexpr int no_permission = 77;
inline constexpr int config = 78;  // file:line:column is on standard error
// NOLINTEND(readability-identifier-naming)

}  // namespace mtrk::exit_code

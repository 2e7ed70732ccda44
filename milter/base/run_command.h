#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mtrk {

struct CommandLimits {
  std::chrono::milliseconds time{60'000};
  std::size_t octets = std::size_t{256} << 20;  // of output
};

// Runs a program, directly and not by a shell, with an empty environment but for PATH and LC_ALL,
// no input, no descriptors of ours, and gives its standard output to `take` piece by piece.
// `stop_fd` becoming readable, a limit that is passed, or an exception of `take` ends the program.
// A name without a slash is looked for in our PATH. Waits; so for a thread that may.
//
// Empty if it ended by itself with status 0; else what went wrong, with the beginning of what it
// wrote on standard error. Never throws but what `take` does; leaves no child behind.
[[nodiscard]] std::string run_command(const std::vector<std::string>& command,
                                      const CommandLimits& limits,
                                      int stop_fd,
                                      const std::function<void(std::string_view)>& take);

}  // namespace mtrk

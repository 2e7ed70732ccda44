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

// Runs a program directly, without a shell, and passes its standard output to `take` piece by
// piece. The program has no input, none of our descriptors, and no environment but PATH and LC_ALL.
// A name without a slash is looked for in our PATH. The program is ended when `stop_fd` becomes
// readable, when it exceeds a limit, or when `take` throws. The call blocks, so it is for a thread
// that may wait.
//
// Returns an empty text if the program ended by itself with status 0; otherwise what went wrong,
// with the beginning of what it wrote on standard error. Throws only what `take` throws. Leaves no
// child behind.
[[nodiscard]] std::string run_command(const std::vector<std::string>& command,
                                      const CommandLimits& limits,
                                      int stop_fd,
                                      const std::function<void(std::string_view)>& take);

}  // namespace mtrk

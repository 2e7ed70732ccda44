#pragma once

#include <string>
#include <vector>

// Whether a store that a power cut left is a store, and holds what it promised.
namespace mtrk::soak {

struct ToldMessage {
  std::string envelope_id;
  std::string recipient;
};

// Good, if the store in the folder opens for writing, takes one more message and its commit, and
// answers for every one of these messages: at once, or after the command `recover`, which reads the
// mail log into it as mtrk-milter does when it starts again (what was captured at DATA is shown
// when the log confirms it). In a process of its own, since a damaged map ends that with a signal.
// The reason, if it is not good; "" if it is.
[[nodiscard]] std::string fault_of_store(const std::string& folder,
                                         const std::vector<ToldMessage>& acknowledged,
                                         const std::string& recover);

}  // namespace mtrk::soak

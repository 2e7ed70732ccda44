#pragma once

#include "common/base/unique_fd.h"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>

namespace mtrk {

// A StoreKeeper starts the process that owns the store, as often as needed. The process that serves
// the mail system survives whatever kills a store process.
//
// The keeper is a process of one thread, forked while this process has only one thread too. It
// forks the store processes. Each of them begins with the memory that this process had at that
// time, but without its locks and threads. All of them end when this process ends, even if it is
// killed (PR_SET_PDEATHSIG).
class StoreKeeper {
 public:
  struct Start {
    bool careful = false;  // the last process died: check the store before using it
    bool quiet = false;    // the last process could not open the store and has reported it
    // The last process hung. What it waited for may be in the lock file.
    bool fresh_lock = false;
    // The last processes died of the store or found it damaged. Set it aside without a check.
    bool hopeless = false;
  };
  // Serve is what a store process does with its end of the connection; it returns the exit code. An
  // exception ends the process with exit_code::software.
  using Serve = std::function<int(UniqueFd connection, Start start)>;

  // Must be called by the main thread while it is the only thread. Throws std::system_error.
  explicit StoreKeeper(Serve serve);
  ~StoreKeeper();  // kills the keeper and the store process
  StoreKeeper(const StoreKeeper&) = delete;
  StoreKeeper& operator=(const StoreKeeper&) = delete;

  // Only one thread at a time may call the functions below.

  // Starts a new store process and returns the connection to it. The previous one must have ended.
  // Throws std::system_error.
  [[nodiscard]] UniqueFd start(Start start);
  // Returns a descriptor that becomes readable when the store process has ended.
  [[nodiscard]] int ended_fd() const { return control_.get(); }
  // Waits for the end of the store process and returns its status in the form of waitpid(2).
  // Returns nothing if the keeper itself is gone.
  [[nodiscard]] std::optional<int> ended();
  void kill();

 private:
  UniqueFd control_;
  pid_t keeper_ = -1;
};

}  // namespace mtrk

#pragma once

#include "common/base/unique_fd.h"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>

namespace mtrk {

// Starts the process that owns the store, again and again: whatever that meets, and dies of, the
// process that serves the mail system lives on.
//
// A keeper of one thread, forked while this process has one too, forks the store processes: each
// begins as this process was then, with its memory but without its locks and threads. They end with
// this process, killed or not (PR_SET_PDEATHSIG).
class StoreKeeper {
 public:
  struct Start {
    bool careful = false;     // the one before died: look at the store before it is used
    bool quiet = false;       // the one before could not open it, and has said so
    bool fresh_lock = false;  // the one before hung: what it waited for may be in the lock file
    bool hopeless = false;    // the last ones died of it, or called it damaged, all the same
  };
  // What a store process does with its end of the connection; its exit code. Exceptions end it with
  // exit_code::software.
  using Serve = std::function<int(UniqueFd connection, Start start)>;

  // To be called by the main thread, while it is the only one. Throws std::system_error.
  explicit StoreKeeper(Serve serve);
  ~StoreKeeper();  // kills what is left
  StoreKeeper(const StoreKeeper&) = delete;
  StoreKeeper& operator=(const StoreKeeper&) = delete;

  // What follows is for one thread at a time.

  // A new store process, and the connection to it. The one before must have ended. Throws
  // std::system_error.
  [[nodiscard]] UniqueFd start(Start start);
  // Readable when the store process has ended.
  [[nodiscard]] int ended_fd() const { return control_.get(); }
  // How, as waitpid(2) says; waits for it. Nothing if the keeper itself is gone.
  [[nodiscard]] std::optional<int> ended();
  void kill();

 private:
  UniqueFd control_;
  pid_t keeper_ = -1;
};

}  // namespace mtrk

#pragma once

#include "common/net/asio.h"
#include "mtqpd/metrics/counters.h"
#include "mtqpd/metrics/log_budget.h"

#include <list>

namespace mtrk::mtqpd {

class Connection;

// The connections of one thread, for those who look at all of them: the sweep of deadlines, the
// drain, the eviction of idle ones. A timer for each would cost more than the whole sweep.
class ConnectionSet {
 public:
  using List = std::list<Connection*>;  // the least recently active first

  [[nodiscard]] List::iterator add(Connection& connection);
  void remove(List::iterator place) { connections_.erase(place); }
  void touch(List::iterator place) { connections_.splice(connections_.end(), connections_, place); }

  void sweep(net::Clock::time_point now);  // ends those whose deadline is over
  void drain();                            // ends idle ones; the others end after their answer
  // Ends the idle one that was idle longest, if one is found near the front (THR-D1b).
  void evict_one();
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] bool empty() const { return connections_.empty(); }

  [[nodiscard]] ServerCounters& counters() { return counters_; }
  [[nodiscard]] const ServerCounters& counters() const { return counters_; }
  [[nodiscard]] LogBudget& log_budget() { return log_budget_; }

 private:
  List connections_;
  bool draining_ = false;
  ServerCounters counters_;
  LogBudget log_budget_;
};

}  // namespace mtrk::mtqpd

#pragma once

#include "common/net/asio.h"
#include "mtqpd/metrics/counters.h"
#include "mtqpd/metrics/log_budget.h"

#include <list>

namespace mtrk::mtqpd {

class Connection;

// A ConnectionSet knows the connections of one thread, for what concerns all of them: the sweep of
// deadlines, the drain, and the eviction of idle ones. One sweep costs less than a timer for each
// connection. It is not thread-safe, and does not own the connections.
class ConnectionSet {
 public:
  using List = std::list<Connection*>;  // the least recently active first

  [[nodiscard]] List::iterator add(Connection& connection);
  void remove(List::iterator place) { connections_.erase(place); }
  void touch(List::iterator place) { connections_.splice(connections_.end(), connections_, place); }

  // Ends the connections whose deadline has passed.
  void sweep(net::Clock::time_point now);
  // Ends the idle connections; the others end after their answer.
  void drain();
  // Ends the connection that has been idle longest, if an idle one is found near the front of the
  // list (THR-D1b).
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

#include "mtqpd/server/connection_set.h"

#include "mtqpd/server/connection.h"

namespace mtrk::mtqpd {

ConnectionSet::List::iterator ConnectionSet::add(Connection& connection) {
  return connections_.insert(connections_.end(), &connection);
}

void ConnectionSet::sweep(net::Clock::time_point now) {
  for (Connection* connection : connections_) {
    if (now >= connection->deadline()) {
      connection->end_late();  // its coroutine wakes up later, with operation_aborted
    }
  }
}

void ConnectionSet::drain() {
  draining_ = true;
  for (Connection* connection : connections_) {
    connection->interrupt();
  }
}

void ConnectionSet::evict_one() {
  constexpr unsigned kTries = 64;
  unsigned tries = 0;
  for (Connection* connection : connections_) {
    if (connection->evict() || ++tries == kTries) {
      return;
    }
  }
}

}  // namespace mtrk::mtqpd

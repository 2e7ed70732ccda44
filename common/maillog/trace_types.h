#pragma once

#include "common/base/time.h"
#include "common/maillog/queue_space.h"
#include "common/track/enhanced_status.h"
#include "common/track/outcome.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What the traces of both MTAs take in and give out (delivery_trace.h).
namespace mtrk::maillog {

class DeliveryTrace;

struct TracePolicy {
  Seconds queue_lifetime{5 * 24 * 3600};  // Will-Retry-Until = arrival + this
  // "127.0.0.1:10025", a socket's path, or a pipe(8) service: they re-inject, never deliver.
  std::span<const std::string> filters;
  std::span<const std::string> gates{};  // "127.0.0.1:10023": mtrk-gate, whose tag is believed
};

enum class Recipients {
  captured,  // known from the envelope: others (BCC) are ignored
  collect,   // whatever the log names is added to those given
};

namespace trace {

struct Applied {
  std::vector<std::size_t>
      changed;  // recipients the event belongs to (their outcome may differ now)
  // Recipients whose outcome may differ now, although the event is not theirs: what is left for
  // them has become clear.
  std::vector<std::size_t> cleared;
  std::vector<std::string> joined;  // queue ids that belong to this trace from now on
  // Queue ids that may turn out to: what came in with the same Message-Id while this message was
  // being handed on. Their events are of interest, whoever else wants them, until they joined or
  // were removed.
  std::vector<std::string> offered;
  // The Message-Id (hash) with which it may come back by sendmail(1) soon; 0: it cannot.
  std::uint64_t expected = 0;
  bool altered = false;  // encode() gives something else than before
};

// A message that a client on this host, a configured filter or sendmail(1) handed in.
struct Reception {
  std::string queue_id;
  QueueSpace space;
  std::uint64_t message_id = 0;  // hash, 0 if not known
  LogTime at;                    // its first line
  bool picked_up = false;        // by sendmail(1)
  // Another message that is followed under that id; null if there is none.
  const DeliveryTrace* of = nullptr;
};

// The proof for a filter without XFORWARD (HeldEvents). As it is: that nothing is known.
struct Evidence {
  virtual ~Evidence() = default;
  // What was handed in with that Message-Id into a queue of that host, and does not say itself
  // what it continues. No more than a few dozen.
  [[nodiscard]] virtual std::vector<Reception> received_again(std::uint64_t /*message_id*/,
                                                              const QueueSpace& /*host*/) const {
    return {};
  }
  // What was handed in under that queue id, into a queue of that host.
  [[nodiscard]] virtual std::optional<Reception> received_here(std::string_view /*queue_id*/,
                                                               const QueueSpace& /*host*/) const {
    return std::nullopt;
  }
};

// To how many addresses a recipient's mail goes on.
enum class Targets { unknown, one, several };

// What took the recipient's mail in the end, as far as its action does not tell.
enum class End {
  usual,
  discarded,  // it was thrown away as configured: discard(8), /dev/null
  filter,     // a content filter took it, and did not hand it back in this log
  doubtful,   // it came back for others only, or for more than one: nobody knows
  awaited,    // its target has an end, and it may turn out to have further targets
};

// What a fate is concluded from.
enum class Basis {
  record,       // a record that names the recipient, or that there is none
  redirection,  // alias and forward records lead from it to what was tried
  owner,        // records that name it as the one they were made for (ctladdr=)
  elimination,  // no record names it, and what there is can be nobody else's
};

// What became of a recipient.
struct Fate {
  Action action = Action::delayed;
  EnhancedStatus status{4, 0, 0};
  std::optional<TimePoint> last_attempt;  // absent: never tried
  std::string remote_mta;                 // name of type dns, empty if none
  bool redirected = false;
  bool held = false;         // not tried, and not given up, until it is released
  bool handed_back = false;  // it was taken, and then came in again
  End end = End::usual;
  Basis basis = Basis::record;
  std::vector<std::string> via;
};

}  // namespace trace

}  // namespace mtrk::maillog

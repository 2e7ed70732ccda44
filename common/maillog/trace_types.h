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

// These types are what the traces of both MTAs take in and return (delivery_trace.h).
namespace mtrk::maillog {

class DeliveryTrace;

struct TracePolicy {
  Seconds queue_lifetime{5 * 24 * 3600};  // Will-Retry-Until is the arrival plus this
  // These are filters, which re-inject and never deliver: "127.0.0.1:10025", the path of a socket,
  // or a pipe(8) service.
  std::span<const std::string> filters;
  std::span<const std::string> gates{};  // "127.0.0.1:10023": an mtrk-gate, whose tag is believed
};

enum class Recipients {
  captured,  // known from the envelope; others (BCC) are ignored
  collect,   // those given, and all that the log names
};

namespace trace {

struct Applied {
  // Recipients that the event concerns; their outcome may have changed.
  std::vector<std::size_t> changed;
  // Recipients that the event does not concern, but whose outcome may have changed, because what
  // remains for them has become clear.
  std::vector<std::size_t> cleared;
  std::vector<std::string> joined;  // queue ids that belong to this trace from now on
  // Queue ids that may turn out to belong to it: messages that came in with the same Message-Id
  // while this one was being handed on. Their events must also be applied to this trace, until they
  // have joined or were removed.
  std::vector<std::string> offered;
  // The hash of the Message-Id with which the message may soon come back by sendmail(1), or 0 if it
  // cannot.
  std::uint64_t expected = 0;
  bool altered = false;  // encode() returns something other than before
};

// A Reception is a message that a client on this host, a configured filter or sendmail(1) handed
// in.
struct Reception {
  std::string queue_id;
  QueueSpace space;
  std::uint64_t message_id = 0;  // hash, 0 if not known
  LogTime at;                    // time of its first line
  bool picked_up = false;        // by sendmail(1)
  // Another message that is followed under that id, or null.
  const DeliveryTrace* of = nullptr;
};

// Evidence is the proof for a filter without XFORWARD (HeldEvents). This base class knows nothing.
struct Evidence {
  virtual ~Evidence() = default;
  // Returns what was handed in with that Message-Id into a queue of that host without saying itself
  // what it continues; at most a few dozen.
  [[nodiscard]] virtual std::vector<Reception> received_again(std::uint64_t /*message_id*/,
                                                              const QueueSpace& /*host*/) const {
    return {};
  }
  // Returns what was handed in under that queue id into a queue of that host.
  [[nodiscard]] virtual std::optional<Reception> received_here(std::string_view /*queue_id*/,
                                                               const QueueSpace& /*host*/) const {
    return std::nullopt;
  }
};

// Targets says to how many addresses a recipient's mail goes on.
enum class Targets { unknown, one, several };

// An End says what took the recipient's mail in the end, as far as its action does not say it.
enum class End {
  usual,
  discarded,  // it was thrown away as configured: discard(8), /dev/null
  filter,     // a content filter took it and did not hand it back in this log
  doubtful,   // it came back for others only, or more than once: its fate is unknown
  awaited,    // its target has an end, but further targets may turn up
};

// A Basis says what a fate is concluded from.
enum class Basis {
  record,       // a record that names the recipient, or the absence of records
  redirection,  // alias and forward records lead from the recipient to what was tried
  owner,        // records that name it as their owner (ctladdr=)
  elimination,  // no record names it, and those that exist can belong to no other recipient
};

// A Fate is what became of a recipient.
struct Fate {
  Action action = Action::delayed;
  EnhancedStatus status{4, 0, 0};
  std::optional<TimePoint> last_attempt;  // absent if never tried
  std::string remote_mta;                 // name of type dns, empty if none
  bool redirected = false;
  bool held = false;         // not tried, and not given up, until released
  bool handed_back = false;  // it was accepted, and then came in again
  End end = End::usual;
  Basis basis = Basis::record;
  std::vector<std::string> via;
};

}  // namespace trace

}  // namespace mtrk::maillog

#pragma once

#include "common/base/time.h"
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

struct TracePolicy {
  Seconds queue_lifetime{5 * 24 * 3600};  // Will-Retry-Until = arrival + this
  std::span<const std::string> filters;   // "127.0.0.1:10025", or a pipe(8) service: re-inject
  std::span<const std::string> gates{};   // "127.0.0.1:10023": mtrk-gate, whose tag is believed
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
  bool altered = false;             // encode() gives something else than before
};

// The proof for a filter without XFORWARD (see HeldEvents): whether an SMTP client on this host
// brought in a message under that queue id, and with that Message-Id.
struct Evidence {
  virtual ~Evidence() = default;
  [[nodiscard]] virtual bool received_here(std::string_view queue_id) const = 0;
  [[nodiscard]] virtual bool received_here(std::string_view queue_id,
                                           std::uint64_t message_id_hash) const = 0;
};

// To how many addresses a recipient's mail goes on.
enum class Targets { unknown, one, several };

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
  bool held = false;  // of a delayed one: not tried, and not given up, as long as it is on hold
  bool redirected = false;
  Basis basis = Basis::record;
  std::vector<std::string> via;
};

}  // namespace trace

}  // namespace mtrk::maillog

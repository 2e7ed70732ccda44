#pragma once

#include "common/base/time.h"
#include "common/store/queued_tracking.h"
#include "common/track/onward_query.h"

#include <chrono>
#include <vector>

// Whether a message that leaves takes its certifier along (RFC 3885 §3.3). Pure.
namespace mtrk {

struct PassOnPolicy {
  Seconds default_timeout{9 * 24 * 3600};  // for a message that asked for none
  bool redirection_is_final = false;       // [privacy] forwarding = "final": tracking ends here
};

// How long a verdict may be waited for in all: the log follower is behind the mail system.
inline constexpr std::chrono::milliseconds kMostWaiting{1000};
// What is forwarded by an alias of local(8) or a .forward file is told by a log line that comes
// about when the message itself does; a virtual alias has none.
inline constexpr std::chrono::milliseconds kForwardWaiting{250};

// All recipients of the transaction have to be the captured ones, or what one of them was
// redirected to alone: MTRK is a parameter of MAIL, so it is for all or none. An address that was
// given at RCPT itself is passed on without asking the log: should it be a member of its own alias,
// it is the primary recipient (MTRK-3.3-08).
[[nodiscard]] OnwardVerdict judge(const store::QueuedTracking& tracking,
                                  const OnwardTransaction& transaction,
                                  const PassOnPolicy& policy,
                                  TimePoint now,
                                  std::chrono::milliseconds waited);

// Of transactions of one message, which the recipients tell apart: the verdict that gets furthest.
// Unknown if there are none.
[[nodiscard]] OnwardVerdict judge_all(const std::vector<store::QueuedTracking>& found,
                                      const OnwardTransaction& transaction,
                                      const PassOnPolicy& policy,
                                      TimePoint now,
                                      std::chrono::milliseconds waited);

}  // namespace mtrk

#pragma once

#include "common/base/time.h"
#include "common/store/queued_tracking.h"
#include "common/track/onward_query.h"

#include <chrono>
#include <vector>

// Decides whether a message that leaves takes its certifier along (RFC 3885 §3.3). Pure.
namespace mtrk {

struct PassOnPolicy {
  Seconds default_timeout{9 * 24 * 3600};  // for a message that asked for none
  // This is true for [privacy] forwarding = "final": tracking ends at a redirection.
  bool redirection_is_final = false;
};

// A verdict may be waited for this long in all, because the log follower is later than the mail
// system.
inline constexpr std::chrono::milliseconds kMostWaiting{1000};
// When local(8) forwards by an alias or a .forward file, it logs a line at about the time when the
// message itself comes; for a virtual alias there is no such line.
inline constexpr std::chrono::milliseconds kForwardWaiting{250};

// Judges a transaction of a message. All its recipients have to be captured ones, or the only
// target to which a captured one was redirected, because MTRK is a parameter of MAIL and so applies
// to all recipients or none. An address that was itself given at RCPT is passed on without asking
// the log: if it is a member of its own alias, it is the primary recipient (MTRK-3.3-08).
[[nodiscard]] OnwardVerdict judge(const store::QueuedTracking& tracking,
                                  const OnwardTransaction& transaction,
                                  const PassOnPolicy& policy,
                                  TimePoint now,
                                  std::chrono::milliseconds waited);

// Judges a transaction that may be of several messages, which the recipients tell apart, and
// returns the verdict that gets furthest. Returns "unknown" if there are no messages.
[[nodiscard]] OnwardVerdict judge_all(const std::vector<store::QueuedTracking>& found,
                                      const OnwardTransaction& transaction,
                                      const PassOnPolicy& policy,
                                      TimePoint now,
                                      std::chrono::milliseconds waited);

}  // namespace mtrk

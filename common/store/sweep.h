#pragma once

#include "common/store/live_traces.h"
#include "common/store/reconcile.h"
#include "common/store/store_rows.h"

#include <cstddef>
#include <optional>

// A Sweep enforces retention (RFC 3885 §3.1): it does to the store what the passing of time
// requires.
namespace mtrk::store {

inline constexpr Seconds kUnconfirmedLifetime{3600};  // for a capture that the log never names
inline constexpr Seconds kEndedTraceLifetime{120};    // for late lines
inline constexpr Seconds kLookAgain{3600};            // when an expired message is still queued

class Sweep {
 public:
  // `newest` is the newest stamp of the log. While it stands still, no capture counts as
  // unconfirmed before `maximum_retention`, after which it is removed in any case. Messages that
  // `reconciler` has seen in the queue are always kept.
  Sweep(Rows& rows,
        LiveTraces& live,
        const Reconciler& reconciler,
        std::optional<LogTime> newest,
        Seconds maximum_retention)
      : rows_(rows),
        live_(live),
        reconciler_(reconciler),
        newest_(newest),
        maximum_retention_(maximum_retention) {}

  // Looks at `limit` reminders at most. Returns how many messages and traces it removed.
  std::size_t run(TimePoint now, std::size_t limit);
  [[nodiscard]] bool touched() const { return touched_; }

 private:
  std::size_t expire(const Rows::ExpiryRow& row, TimePoint now);
  std::size_t look_at_trace(const Rows::DueRow& row, TimePoint now);
  [[nodiscard]] bool given_up(const StoredTrace& trace, TimePoint now) const;

  Rows& rows_;
  LiveTraces& live_;
  const Reconciler& reconciler_;
  std::optional<LogTime> newest_;
  Seconds maximum_retention_;
  bool touched_ = false;
};

}  // namespace mtrk::store

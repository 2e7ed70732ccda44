#pragma once

#include "common/store/live_traces.h"
#include "common/store/reconcile.h"
#include "common/store/store_rows.h"

#include <cstddef>
#include <optional>

// Retention (RFC 3885 §3.1): what the passing of time does to the store.
namespace mtrk::store {

inline constexpr Seconds kUnconfirmedLifetime{3600};  // a capture that the log never names
inline constexpr Seconds kEndedTraceLifetime{120};    // for late lines
inline constexpr Seconds kLookAgain{3600};            // at an expired message that is queued

class Sweep {
 public:
  // `newest` is the stamp the log has come to: while it stands still, nothing is taken for
  // unconfirmed (but for `maximum_retention`, after which it goes in any case).
  // What `reconciler` has seen in the queue stays in any case.
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

  // Looks at `limit` reminders at most. How many messages and traces it removed.
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

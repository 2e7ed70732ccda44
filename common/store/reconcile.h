#pragma once

#include "common/store/live_traces.h"
#include "common/store/queue_report.h"

#include <optional>
#include <unordered_map>
#include <unordered_set>

// What the MTA's own list of its queue says, against what the log has said so far.
//
// A message on the list is in the queue, whatever the log has missed: it is neither denied nor
// expired (RFC 3885 §3.1). One that the log left in the queue, and that is not on the list any
// more, is gone without a word: opaque, never delivered. It takes
//
//   * two lists in a row without it, both whole, and a log that was read to its end before each and
//     has no gap in between: a list is read while the queue moves, and the log comes later;
//   * that an earlier list had it: what was on none may be in the queue of another instance, which
//     this list does not show. Of such a one it takes that each recipient's outcome is final, or
//     that it came longer ago than the queue lifetime and a day.
//
// Its trace stays for as long as its record does: a line that comes late may still tell the truth.
namespace mtrk::store {

// Kept in memory only: after a restart lists are counted anew. Not thread-safe.
class Reconciler {
 public:
  // After that a list says nothing about what is in the queue now.
  static constexpr Seconds kListLifetime{24 * 3600};

  explicit Reconciler(Seconds queue_lifetime) : queue_lifetime_(queue_lifetime) {}

  // Within a batch. What is on the list costs a hash look-up each, no access to the store.
  Reconciled apply(const QueueReport& report, LiveTraces& live);

  // Whether the last list had the message that arrived then.
  [[nodiscard]] bool is_queued(Serial serial, TimePoint arrival, TimePoint now) const;
  [[nodiscard]] Mta mta() const { return mta_; }

 private:
  void note_listed(const QueueReport& report, LiveTraces& live);
  [[nodiscard]] bool may_be_elsewhere(Serial serial,
                                      const LiveTraces::Entry& entry,
                                      TimePoint now) const;

  Seconds queue_lifetime_;
  Mta mta_ = Mta::postfix;
  TimePoint taken_at_;
  std::unordered_map<Serial, std::optional<TimePoint>> listed_;  // and their arrival, by the list
  std::unordered_map<Serial, TimePoint> missing_;                // and the first list without them
  std::unordered_set<Serial> known_;                             // by any list
};

}  // namespace mtrk::store

#pragma once

#include "common/store/live_traces.h"
#include "common/store/queue_report.h"

#include <optional>
#include <unordered_map>
#include <unordered_set>

// A Reconciler compares the MTA's own list of its queue with what the log has said so far.
//
// A message on the list is in the queue, whatever the log has missed: its existence is not denied,
// and it does not expire (RFC 3885 §3.1). A message that the log left in the queue, but that is no
// longer on the list, has disappeared without a log line: it becomes opaque, never delivered. This
// requires
//
//  * two complete lists in a row without it, and a log that was read to its end before each and has
//    no gap in between, because a list is read while the queue changes, and the log comes later;
//  * that an earlier list had it. A message that was on no list may be in the queue of another
//    instance, which this list does not show. It becomes opaque only if the outcome of each of its
//    recipients is final, or if it arrived longer ago than the queue lifetime and a day.
//
// Its trace is kept as long as its record, because a late line may still show the truth.
namespace mtrk::store {

// The state is kept in memory only: after a restart, lists are counted anew. Not thread-safe.
class Reconciler {
 public:
  // After this time a list says nothing any more about what is in the queue.
  static constexpr Seconds kListLifetime{24 * 3600};

  explicit Reconciler(Seconds queue_lifetime) : queue_lifetime_(queue_lifetime) {}

  // Applies a report, within a batch. Each message on the list costs a hash look-up and no access
  // to the store.
  Reconciled apply(const QueueReport& report, LiveTraces& live);

  // Returns whether the last list had this message, which arrived at `arrival`.
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
  // These were on the last list, with their arrival according to it.
  std::unordered_map<Serial, std::optional<TimePoint>> listed_;
  std::unordered_map<Serial, TimePoint> missing_;  // with the time of the first list without them
  std::unordered_set<Serial> known_;               // they were on any list
};

}  // namespace mtrk::store

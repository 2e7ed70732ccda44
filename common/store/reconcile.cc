#include "common/store/reconcile.h"

#include <algorithm>
#include <vector>

namespace mtrk::store {
namespace {

// The arrival in the MTA's list is when the MTA began to receive the message, or when a requeued
// message first arrived.
constexpr Seconds kSameArrival{24 * 3600};
// After its lifetime a message stays until the next queue run at most.
constexpr Seconds kLastRun{24 * 3600};

}  // namespace

Reconciled Reconciler::apply(const QueueReport& report, LiveTraces& live) {
  note_listed(report, live);
  const std::vector<Serial> followed = live.followed();
  const auto has_ended = [&followed](Serial serial) {
    return !std::binary_search(followed.begin(), followed.end(), serial);
  };
  std::erase_if(known_, has_ended);
  if (!report.whole || !report.log_was_read) {
    missing_.clear();
    return {listed_.size(), 0};
  }
  std::erase_if(missing_, [&](const auto& missed) { return has_ended(missed.first); });

  std::vector<Serial> gone;
  for (const Serial serial : followed) {
    if (listed_.count(serial) != 0) {
      continue;
    }
    // Most of these were delivered a moment ago, and have ended before the next list.
    const auto [missed, first] = missing_.emplace(serial, report.taken_at);
    if (first || missed->second >= report.taken_at) {
      continue;
    }
    const LiveTraces::Entry* entry = live.entry(serial);
    if (entry == nullptr || entry->refused || !is_confirmed(entry->trace) ||
        !entry->trace.trace.queued()) {
      continue;
    }
    if (entry->trace.arrival + report.least_age > missed->second) {
      missed->second = report.taken_at;  // The previous list came too early to count.
    } else if (!may_be_elsewhere(serial, *entry, report.taken_at)) {
      gone.push_back(serial);
    }
  }
  for (const Serial serial : gone) {
    live.vanish(serial, report.mta, report.taken_at);
  }
  return {listed_.size(), gone.size()};
}

void Reconciler::note_listed(const QueueReport& report, LiveTraces& live) {
  mta_ = report.mta;
  taken_at_ = report.taken_at;
  listed_.clear();
  for (const QueueReport::Message& message : report.messages) {
    if (const std::optional<Serial> serial = live.serial_of(message.queue_id)) {
      listed_.emplace(*serial, message.arrival);
      known_.insert(*serial);
      missing_.erase(*serial);
    }
  }
}

// Returns whether it may be in a queue that the lists do not show.
bool Reconciler::may_be_elsewhere(Serial serial,
                                  const LiveTraces::Entry& entry,
                                  TimePoint now) const {
  const auto& recipients = entry.message->message.recipients;
  return known_.count(serial) == 0 && now < entry.trace.arrival + queue_lifetime_ + kLastRun &&
         std::any_of(recipients.begin(), recipients.end(), [](const Recipient& recipient) {
           return std::holds_alternative<Delayed>(recipient.outcome);
         });
}

bool Reconciler::is_queued(Serial serial, TimePoint arrival, TimePoint now) const {
  const auto listed = listed_.find(serial);
  if (listed == listed_.end() || now > taken_at_ + kListLifetime) {
    return false;
  }
  return !listed->second || std::chrono::abs(*listed->second - arrival) <= kSameArrival;
}

}  // namespace mtrk::store

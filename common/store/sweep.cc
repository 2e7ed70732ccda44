#include "common/store/sweep.h"

namespace mtrk::store {

std::size_t Sweep::run(TimePoint now, std::size_t limit) {
  std::size_t removed = 0;
  // Traces come first: a message that waits for one of them may expire in the same run.
  const std::vector<Rows::DueRow> due = rows_.reminders(now, limit);
  for (const Rows::DueRow& row : due) {
    removed += look_at_trace(row, now);
  }
  const std::vector<Rows::ExpiryRow> expiring = rows_.expiries(now, limit - due.size());
  for (const Rows::ExpiryRow& row : expiring) {
    removed += expire(row, now);
  }
  touched_ = !due.empty() || !expiring.empty();
  live_.flush();
  return removed;
}

std::size_t Sweep::expire(const Rows::ExpiryRow& row, TimePoint now) {
  rows_.erase_expiry(row);
  const std::optional<StoredMessage> stored = rows_.message(row.key, row.serial);
  if (!stored) {
    live_.remove_trace(row.serial);
    return 0;
  }
  const TrackedMessage& message = stored->message;
  if (message.expires_at > now) {  // it was imported again with a later end
    rows_.put_expiry({message.expires_at, row.key, row.serial});
    return 0;
  }
  // MTRK-3.1-17: a message never expires while it is in the queue here.
  const bool queued = message.queued || reconciler_.is_queued(row.serial, message.arrival, now);
  if (queued && live_.entry(row.serial) != nullptr) {
    rows_.put_expiry({now + kLookAgain, row.key, row.serial});
    return 0;
  }
  live_.remove_trace(row.serial);
  rows_.erase_message(row.key, row.serial, row.at);
  return 1;
}

std::size_t Sweep::look_at_trace(const Rows::DueRow& row, TimePoint now) {
  rows_.erase_reminder(row);
  const LiveTraces::Entry* entry = live_.entry(row.serial);
  if (entry == nullptr) {
    live_.remove_trace(row.serial);  // of a message that was set aside, if there is a trace
    return 0;
  }
  if (row.reminder == Reminder::unconfirmed) {
    if (is_confirmed(entry->trace)) {
      return 0;
    }
    if (reconciler_.is_queued(row.serial, entry->trace.arrival, now)) {
      live_.confirm(row.serial, reconciler_.mta(), now);
      return 0;
    }
    if (!given_up(entry->trace, now)) {
      rows_.put_reminder({now + kEndedTraceLifetime, row.serial, row.reminder});
      return 0;
    }
    live_.remove(row.serial);
    return 1;
  }
  if (entry->trace.trace.queued() || !is_confirmed(entry->trace)) {
    return 0;
  }
  if (row.at == TimePoint()) {
    // It ended after the previous sweep. The wait begins by the wall clock of this sweep, because
    // the stamps of a log that is being caught up with are long past.
    rows_.put_reminder({now + kEndedTraceLifetime, row.serial, row.reminder});
    return 0;
  }
  live_.remove_trace(row.serial);
  return 1;
}

bool Sweep::given_up(const StoredTrace& trace, TimePoint now) const {
  if (!newest_ || now >= trace.arrival + maximum_retention_) {
    return true;
  }
  return *newest_ >= trace.arrival + kEndedTraceLifetime;
}

}  // namespace mtrk::store

#include "common/store/live_traces.h"

#include <algorithm>
#include <cassert>

namespace mtrk::store {
namespace {

// So many decoded traces stay in the cache for the next batch, which is enough for a few busy
// minutes.
constexpr std::size_t kMaxKept = 4096;

bool is_terminal(const Outcome& outcome) {
  return !std::holds_alternative<Delayed>(outcome);
}

}  // namespace

bool is_confirmed(const StoredTrace& trace) {
  return trace.origin == Origin::imported || trace.trace.confirmed() ||
         (trace.origin == Origin::final && trace.trace.seen());
}

void LiveTraces::load(const Txn& txn, const Databases& databases) {
  ids_.clear();
  cache_.clear();
  touched_.clear();
  for_each_queue_row(txn, databases, [this](const QueueRow& row) {
    ids_.insert_or_assign(std::string(row.queue_id), row.serial);
  });
}

void LiveTraces::flush() {
  for (const Serial serial : std::exchange(touched_, {})) {
    const auto cached = cache_.find(serial);
    if (cached == cache_.end()) {
      continue;  // it was removed since
    }
    Entry& entry = cached->second;
    if (entry.refused) {
      remove(serial);
    } else if (entry.dirty) {
      rows_->put_trace(serial, entry.trace);
      rows_->put_message(entry.trace.key, serial, *entry.message);
      entry.dirty = false;
    }
  }
}

void LiveTraces::committed() {
  undo_.clear();
  changed_anything_ = false;
  rows_ = nullptr;
  if (cache_.size() > kMaxKept) {
    cache_.clear();
  }
}

void LiveTraces::abort() noexcept {
  for (auto change = undo_.rbegin(); change != undo_.rend(); ++change) {
    if (change->second) {
      ids_.insert_or_assign(std::move(change->first), *change->second);
    } else {
      ids_.erase(change->first);
    }
  }
  undo_.clear();
  cache_.clear();
  touched_.clear();
  changed_anything_ = false;
  rows_ = nullptr;
}

maillog::DeliveryTrace* LiveTraces::find(std::string_view queue_id) {
  const auto id = ids_.find(queue_id);
  if (id == ids_.end()) {
    return nullptr;
  }
  Entry* found = entry(id->second);
  return found != nullptr && !found->refused ? &found->trace.trace : nullptr;
}

void LiveTraces::bind(std::string_view queue_id, maillog::DeliveryTrace& trace) {
  auto& [serial, owner] = owner_of(trace);
  if (const std::optional<Serial> holder = serial_of(queue_id)) {
    Entry* other = *holder == serial ? &owner : entry(*holder);
    if (*holder == serial) {
      return;
    }
    // A re-injected message that was captured once more is the same message, and is followed as
    // one. An id that was captured for another message is not a child, whatever the log says.
    const bool ended = other != nullptr && !other->trace.trace.has(queue_id, {});
    if (other != nullptr && !other->refused && !ended) {  // otherwise the id was assigned again
      if (!(other->trace.key == owner.trace.key)) {
        return;
      }
      touch(*holder, *other);
      other->refused = true;
    }
  }
  rows_->bind(queue_id, serial);
  set_id(queue_id, serial);
  touch(serial, owner);
}

void LiveTraces::changed(maillog::DeliveryTrace& trace,
                         std::span<const std::size_t> recipients,
                         const maillog::DeliveryEvent& /*event*/) {
  auto& [serial, owner] = owner_of(trace);
  touch(serial, owner);
  if (trace.refused()) {
    owner.refused = true;  // It is removed later, because the router still holds the pointer.
    return;
  }
  for (const std::size_t recipient : recipients) {
    set_outcome(owner, recipient);
  }
  note_queue_state(serial, owner);
}

std::optional<Serial> LiveTraces::serial_of(std::string_view queue_id) const {
  const auto id = ids_.find(queue_id);
  return id != ids_.end() ? std::optional(id->second) : std::nullopt;
}

LiveTraces::Entry* LiveTraces::entry(Serial serial) {
  if (const auto cached = cache_.find(serial); cached != cache_.end()) {
    return &cached->second;
  }
  std::optional<StoredTrace> trace = rows_->trace(serial);
  if (!trace) {
    return nullptr;
  }
  std::optional<StoredMessage> message = rows_->message(trace->key, serial);
  if (!message || message->message.recipients.size() != trace->trace.recipients().size()) {
    return nullptr;  // its row was set aside, and there is nothing to update
  }
  const bool queued = trace->trace.queued();
  return &cache_.emplace(serial, Entry{*std::move(trace), std::move(message), false, false, queued})
              .first->second;
}

void LiveTraces::insert(Serial serial, StoredTrace trace, StoredMessage message) {
  const std::string root = trace.trace.root();
  rows_->bind(root, serial);
  set_id(root, serial);
  rows_->put_trace(serial, trace);
  rows_->put_message(trace.key, serial, message);
  cache_.insert_or_assign(serial, Entry{std::move(trace), std::move(message), false, false, true});
  changed_anything_ = true;
}

void LiveTraces::remove(Serial serial) {
  if (const Entry* gone = entry(serial)) {
    rows_->erase_message(gone->trace.key, serial, gone->message->message.expires_at);
  }
  remove_trace(serial);
}

void LiveTraces::remove_trace(Serial serial) {
  const auto cached = cache_.find(serial);
  std::optional<StoredTrace> stored;  // If its message is gone, there is no Entry.
  if (cached == cache_.end() && !(stored = rows_->trace(serial))) {
    return;
  }
  const maillog::DeliveryTrace& gone = stored ? stored->trace : cached->second.trace.trace;
  for (const std::string& queue_id : gone.queue_ids()) {
    rows_->unbind(queue_id, serial);
    if (serial_of(queue_id) == serial) {
      set_id(queue_id, std::nullopt);
    }
  }
  rows_->erase_trace(serial);
  if (cached != cache_.end()) {
    cache_.erase(cached);
  }
  changed_anything_ = true;
}

void LiveTraces::end(Serial serial, TimePoint at) {
  Entry* ended = entry(serial);
  if (ended == nullptr) {
    return;
  }
  // This is what the log would have said; the trace decides how the message ended.
  const std::string root = ended->trace.trace.root();
  const maillog::DeliveryEvent removed{at, root, maillog::Removed{}};
  static_cast<void>(ended->trace.trace.apply(removed, policy_, maillog::trace::Evidence()));
  judge_again(serial, *ended);
}

void LiveTraces::vanish(Serial serial, Mta mta, TimePoint at) {
  Entry* gone = entry(serial);
  if (gone == nullptr) {
    return;
  }
  for (const std::string& queue_id : gone->trace.trace.queue_ids()) {
    const maillog::DeliveryEvent removed{at, queue_id, maillog::Removed{}, mta};
    static_cast<void>(gone->trace.trace.apply(removed, policy_, maillog::trace::Evidence()));
  }
  // This happens as if the log had said so, but without the reminder that would end the trace.
  gone->trace.passport.reset();
  gone->was_queued = false;
  judge_again(serial, *gone);
}

void LiveTraces::confirm(Serial serial, Mta mta, TimePoint at) {
  Entry* found = entry(serial);
  if (found == nullptr) {
    return;
  }
  const std::string root = found->trace.trace.root();
  // Of all events, this one says only that there is a queue file.
  const maillog::DeliveryEvent there{at, root, maillog::Requeued{}, mta};
  static_cast<void>(found->trace.trace.apply(there, policy_, maillog::trace::Evidence()));
  judge_again(serial, *found);
}

void LiveTraces::judge_again(Serial serial, Entry& entry) {
  for (std::size_t i = 0; i < entry.message->message.recipients.size(); ++i) {
    set_outcome(entry, i);
  }
  note_queue_state(serial, entry);
}

std::vector<Serial> LiveTraces::followed() const {
  std::vector<Serial> serials;
  serials.reserve(ids_.size());
  for (const auto& [queue_id, serial] : ids_) {
    serials.push_back(serial);
  }
  std::sort(serials.begin(), serials.end());
  serials.erase(std::unique(serials.begin(), serials.end()), serials.end());
  return serials;
}

void LiveTraces::update_message(Serial serial, Entry& entry) {
  const maillog::DeliveryTrace& trace = entry.trace.trace;
  entry.message->visible = entry.trace.origin != Origin::provisional || trace.confirmed();
  entry.message->message.queued = trace.queued();
  touch(serial, entry);
}

void LiveTraces::touch(Serial serial, Entry& entry) {
  if (!entry.dirty) {
    touched_.push_back(serial);
    entry.dirty = true;
  }
  changed_anything_ = true;
}

std::pair<const Serial, LiveTraces::Entry>& LiveTraces::owner_of(
    const maillog::DeliveryTrace& trace) {
  const auto is_owner = [&trace](const auto& cached) {
    return &cached.second.trace.trace == &trace;
  };
  if (const auto id = ids_.find(trace.root()); id != ids_.end()) {
    if (const auto cached = cache_.find(id->second); cached != cache_.end() && is_owner(*cached)) {
      return *cached;
    }
  }
  // This is rare: its root was assigned to another message since.
  const auto cached = std::find_if(cache_.begin(), cache_.end(), is_owner);
  assert(cached != cache_.end());
  return *cached;
}

void LiveTraces::set_id(std::string_view queue_id, std::optional<Serial> serial) {
  undo_.emplace_back(queue_id, serial_of(queue_id));
  if (serial) {
    ids_.insert_or_assign(std::string(queue_id), *serial);
  } else if (const auto id = ids_.find(queue_id); id != ids_.end()) {
    ids_.erase(id);
  }
}

void LiveTraces::set_outcome(Entry& entry, std::size_t recipient) {
  Recipient& stored = entry.message->message.recipients.at(recipient);
  Outcome outcome = entry.trace.trace.outcome(recipient, policy_);
  // An import may know more than the log. A final outcome is replaced only by another final one,
  // and "opaque" replaces only "delayed". What a filter handed back was not final.
  const bool regress = is_terminal(stored.outcome) &&
                       (!is_terminal(outcome) || std::holds_alternative<Opaque>(outcome)) &&
                       !entry.trace.trace.handed_back(recipient);
  if (!regress) {
    stored.outcome = std::move(outcome);
    stored.redirected = entry.trace.trace.redirected(recipient);
  }
}

void LiveTraces::note_queue_state(Serial serial, Entry& entry) {
  update_message(serial, entry);
  const bool queued = entry.message->message.queued;
  if (!queued && entry.was_queued) {
    // MTRK will not be passed on any more, so ENVID and certifier must not be kept. The trace waits
    // for late lines; the sweep's clock decides how long.
    entry.trace.passport.reset();
    for (std::size_t i = 0; i < entry.message->message.recipients.size(); ++i) {
      set_outcome(entry, i);
    }
    rows_->put_reminder({TimePoint(), serial, Reminder::ended});
  }
  entry.was_queued = queued;
}

}  // namespace mtrk::store

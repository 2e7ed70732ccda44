// These functions decide what may come into the store, and what makes way for it: captures and
// imported messages.
#include "common/store/store_format.h"
#include "common/store/sweep.h"
#include "common/store/tracking_writer_impl.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace mtrk::store {
namespace {

constexpr std::uint64_t kPagesPerPut = 12;  // upper bound: one leaf for each database, and branches

bool has_delayed_recipient(const TrackedMessage& message) {
  return std::any_of(message.recipients.begin(), message.recipients.end(),
                     [](const Recipient& r) { return std::holds_alternative<Delayed>(r.outcome); });
}

template <typename Recipients>
bool same_recipients(const Recipients& a, const std::vector<Recipient>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const Recipient& y) {
    return x.original == y.original && x.final == y.final;
  });
}

bool same_transaction(const TrackedMessage& a, const TrackedMessage& b) {
  return a.arrival == b.arrival && a.reporting_mta == b.reporting_mta && a.queue_id == b.queue_id &&
         same_recipients(a.recipients, b.recipients);
}

maillog::DeliveryTrace make_trace(const QueueId& root, const TrackedMessage& message) {
  std::vector<std::string> recipients;
  recipients.reserve(message.recipients.size());
  for (const Recipient& recipient : message.recipients) {
    recipients.push_back(recipient.final.value);
  }
  return {root, message.arrival, std::move(recipients), maillog::Recipients::captured};
}

}  // namespace

bool TrackingWriter::Impl::has_room() {
  std::uint64_t needed = (puts + 1) * kPagesPerPut;
  if (needed <= room) {
    return true;
  }
  // A batch cannot copy more pages than exist.
  std::uint64_t all = 2 * kPagesPerPut;
  for (const Dbi dbi : {databases.message, databases.queue, databases.trace, databases.expiry,
                        databases.due, databases.cursor, databases.meta}) {
    all += txn->tree_pages(dbi);
  }
  return std::min(needed, all) <= room;
}

bool TrackingWriter::Impl::settle_queue_id(const Capture& capture, const MessageKey& key) {
  const std::string& queue_id = capture.queue_id.text();
  const std::optional<Serial> holder = live.serial_of(queue_id);
  LiveTraces::Entry* entry = holder ? live.entry(*holder) : nullptr;
  if (entry == nullptr) {
    return false;
  }
  StoredTrace& known = entry->trace;
  const bool is_root = known.trace.root() == queue_id;
  const bool same_message = !entry->refused && known.key == key;
  if (same_message && !is_root && known.trace.queued()) {
    return true;  // re-injected here, and followed as the one message it is
  }
  if (same_message && is_root && known.origin != Origin::imported &&
      known.ticket == capture.ticket &&
      same_recipients(capture.recipients, entry->message->message.recipients)) {
    if (capture.stage == Stage::final) {
      known.origin = Origin::final;
      live.update_message(*holder, *entry);
    }
    return true;
  }
  const bool never_was = entry->refused || known.ticket == capture.ticket ||
                         (known.origin == Origin::provisional && !known.trace.confirmed());
  if (is_root && never_was) {
    live.remove(*holder);
  } else if (is_root) {
    live.end(*holder, capture.arrival);
  }
  return false;
}

std::optional<Kept> TrackingWriter::Impl::refusal(const MessageKey& key) {
  if (!has_room()) {
    return Kept::store_full;
  }
  if (rows->transactions(key).size() >= kMaxTransactions) {
    return Kept::merged_limit;
  }
  ++puts;
  return std::nullopt;
}

void TrackingWriter::Impl::put_new(const MessageKey& key,
                                   Origin origin,
                                   std::uint64_t ticket,
                                   std::optional<QueueId> followed,
                                   Passport passport,
                                   StoredMessage message) {
  const Serial mine = ++serial;
  new_rows = true;
  file_new = file_new || origin == Origin::imported;
  const TrackedMessage& tracked = message.message;
  if (!followed) {
    rows->put_message(key, mine, message);
    rows->put_expiry({tracked.expires_at, key, mine});
    return;
  }
  StoredTrace trace{
      key, origin, ticket, tracked.arrival, std::move(passport), make_trace(*followed, tracked)};
  if (origin != Origin::imported) {
    for (std::size_t i = 0; i < message.message.recipients.size(); ++i) {
      message.message.recipients[i].outcome = trace.trace.outcome(i, policy());
    }
  }
  live.insert(mine, std::move(trace), std::move(message));
}

void TrackingWriter::Impl::file_new_traces() {
  const Serial filed = rows->filed_serial();
  if (filed >= serial) {
    return;
  }
  for (const Serial unfiled : rows->traces_after(filed)) {
    const LiveTraces::Entry* entry = live.entry(unfiled);
    if (entry == nullptr) {
      live.remove_trace(unfiled);  // of a message that was set aside, if there is a trace
      continue;
    }
    const StoredTrace& trace = entry->trace;
    rows->put_expiry({entry->message->message.expires_at, trace.key, unfiled});
    if (!is_confirmed(trace)) {
      rows->put_reminder({trace.arrival + kUnconfirmedLifetime, unfiled, Reminder::unconfirmed});
    }
  }
  rows->put_filed_serial(serial);
}

Kept TrackingWriter::put_capture(const Capture& capture) {
  Impl& self = *impl_;
  assert(self.txn && !capture.recipients.empty());
  const MessageKey key = MessageKey::make(self.salt, capture.envelope_id, capture.certifier);
  if (self.settle_queue_id(capture, key)) {
    return Kept::stored;
  }
  if (const std::optional<Kept> refused = self.refusal(key)) {
    return *refused;
  }
  StoredMessage stored;
  stored.visible = capture.stage == Stage::final;
  TrackedMessage& message = stored.message;
  message.reporting_mta = capture.reporting_mta;
  message.arrival = capture.arrival;
  message.utc_offset = capture.utc_offset;
  message.expires_at = expiry_of(capture.arrival, capture.timeout);
  message.queued = true;
  message.queue_id = capture.queue_id.text();
  for (const Capture::Recipient& recipient : capture.recipients) {
    message.recipients.push_back({recipient.original, recipient.final, Outcome(Opaque{})});
  }
  self.put_new(key, capture.stage == Stage::final ? Origin::final : Origin::provisional,
               capture.ticket, capture.queue_id,
               {capture.envelope_id, capture.certifier, capture.timeout}, std::move(stored));
  return Kept::stored;
}

void TrackingWriter::confirm_capture(std::string_view queue_id, std::uint64_t ticket) {
  Impl& self = *impl_;
  const std::optional<Serial> holder = self.live.serial_of(queue_id);
  LiveTraces::Entry* entry = holder ? self.live.entry(*holder) : nullptr;
  if (entry != nullptr && entry->trace.ticket == ticket && !entry->refused &&
      entry->trace.origin == Origin::provisional && entry->trace.trace.root() == queue_id) {
    entry->trace.origin = Origin::final;
    self.live.update_message(*holder, *entry);
  }
}

void TrackingWriter::drop_capture(std::string_view queue_id, std::uint64_t ticket) {
  Impl& self = *impl_;
  const std::optional<Serial> holder = self.live.serial_of(queue_id);
  const LiveTraces::Entry* entry = holder ? self.live.entry(*holder) : nullptr;
  if (entry != nullptr && entry->trace.ticket == ticket &&
      entry->trace.origin == Origin::provisional && entry->trace.trace.root() == queue_id) {
    self.live.remove(*holder);
  }
}

Kept TrackingWriter::put_message(const EnvelopeId& envelope_id,
                                 const TrackingCertifier& certifier,
                                 const TrackedMessage& message) {
  Impl& self = *impl_;
  assert(self.txn && !message.recipients.empty());
  const MessageKey key = MessageKey::make(self.salt, envelope_id, certifier);
  for (const Serial serial : self.rows->transactions(key)) {
    const std::optional<StoredMessage> known = self.rows->message(key, serial);
    if (known && same_transaction(known->message, message)) {
      if (self.live.entry(serial) == nullptr) {  // otherwise the log knows better
        StoredMessage replacement{true, message};
        replacement.message.queued = false;
        self.rows->put_message(key, serial, replacement);
        self.rows->put_expiry({message.expires_at, key, serial});
        self.new_rows = true;
      }
      return Kept::stored;
    }
  }
  if (const std::optional<Kept> refused = self.refusal(key)) {
    return *refused;
  }
  std::optional<QueueId> followed;
  if (has_delayed_recipient(message)) {
    followed = QueueId::parse(message.queue_id);
  }
  StoredMessage stored{true, message};
  stored.message.queued = followed.has_value();
  if (followed) {
    if (const std::optional<Serial> holder = self.live.serial_of(followed->text())) {
      self.live.end(*holder, message.arrival);
    }
  }
  self.put_new(key, Origin::imported, 0, std::move(followed), {envelope_id, certifier, {}},
               std::move(stored));
  return Kept::stored;
}

TimePoint TrackingWriter::expiry_of(TimePoint arrival, std::optional<Seconds> requested) const {
  const WriterOptions& options = impl_->options;
  return arrival +
         std::min(requested.value_or(options.default_retention), options.maximum_retention);
}

}  // namespace mtrk::store

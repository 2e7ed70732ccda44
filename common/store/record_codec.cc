#include "common/store/record_codec.h"

#include "common/base/codec.h"

#include <array>
#include <utility>

namespace mtrk::store {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kCrcOctets = 4;

// These are the bits of the octets named flags below. Unknown bits are corrupt: version 1 has no
// others.
constexpr std::uint8_t kVisible = 1;
constexpr std::uint8_t kQueued = 2;
constexpr std::uint8_t kRedirected = 1;
constexpr std::uint8_t kHasRemoteMta = 2;
constexpr std::uint8_t kHasLastAttempt = 4;
constexpr std::uint8_t kHasWillRetryUntil = 8;
constexpr std::uint8_t kHasPassport = 1;
constexpr std::uint8_t kHasTimeout = 2;
constexpr std::uint8_t kHasNewest = 1;

Unexpected corrupt(std::string_view what) {
  return fail(ErrorCode::corrupt, "record: " + std::string(what));
}

void open_record(std::string& out) {
  out.clear();
  put_u8(out, kVersion);
}
void seal_record(std::string& out) {
  put_u32(out, crc32c(out));
}

// Returns the fields between the version and the checksum.
Expected<std::string_view> unseal_record(std::string_view record) {
  if (record.size() < 1 + kCrcOctets) {
    return corrupt("too short");
  }
  std::string_view tail = record.substr(record.size() - kCrcOctets);
  const std::string_view sealed = record.substr(0, record.size() - kCrcOctets);
  std::uint32_t crc = 0;
  if (!get_u32(tail, crc) || crc != crc32c(sealed)) {
    return corrupt("checksum differs");
  }
  if (static_cast<std::uint8_t>(sealed.front()) != kVersion) {
    return fail(ErrorCode::unsupported, "record: unknown version");
  }
  return sealed.substr(1);
}

void put_time(std::string& out, TimePoint at) {
  put_u64(out, static_cast<std::uint64_t>(at.time_since_epoch().count()));
}
bool get_time(std::string_view& in, TimePoint& at) {
  std::uint64_t count = 0;
  if (!get_u64(in, count)) {
    return false;
  }
  at = TimePoint(Seconds(static_cast<std::int64_t>(count)));
  return true;
}

bool get_string(std::string_view& in, std::string& text) {
  std::string_view view;
  if (!get_text(in, view)) {
    return false;
  }
  text = view;
  return true;
}

template <std::size_t N>
bool get_octets(std::string_view& in, std::array<std::uint8_t, N>& octets) {
  if (in.size() < N) {
    return false;
  }
  in.copy(reinterpret_cast<char*>(octets.data()), N);
  in.remove_prefix(N);
  return true;
}

void put_name(std::string& out, const MtaName& name) {
  put_text(out, name.type);
  put_text(out, name.name);
}
void put_address(std::string& out, const TypedAddress& address) {
  put_text(out, address.type);
  put_text(out, address.value);
}
bool get_typed(std::string_view& in, TypedView& view) {
  return get_text(in, view.type) && get_text(in, view.value);
}

void put_recipient(std::string& out, const Recipient& recipient) {
  const OutcomeFields fields = fields_of(recipient.outcome);
  unsigned flags = 0;
  flags |= recipient.redirected ? kRedirected : 0U;
  flags |= fields.remote_mta ? kHasRemoteMta : 0U;
  flags |= fields.last_attempt ? kHasLastAttempt : 0U;
  flags |= fields.will_retry_until ? kHasWillRetryUntil : 0U;
  put_u8(out, static_cast<std::uint8_t>(flags));
  put_u8(out, static_cast<std::uint8_t>(fields.action));
  put_u8(out, fields.status.status_class);
  put_u16(out, fields.status.subject);
  put_u16(out, fields.status.detail);
  put_address(out, recipient.original);
  put_address(out, recipient.final);
  if (fields.remote_mta) {
    put_name(out, *fields.remote_mta);
  }
  if (fields.last_attempt) {
    put_time(out, *fields.last_attempt);
  }
  if (fields.will_retry_until) {
    put_time(out, *fields.will_retry_until);
  }
}

bool get_optional_fields(std::string_view& in, unsigned flags, RecipientView& recipient) {
  if ((flags & kHasRemoteMta) != 0 && !get_typed(in, recipient.remote_mta.emplace())) {
    return false;
  }
  if ((flags & kHasLastAttempt) != 0 && !get_time(in, recipient.last_attempt.emplace())) {
    return false;
  }
  return (flags & kHasWillRetryUntil) == 0 || get_time(in, recipient.will_retry_until.emplace());
}

// Returns what is wrong, or null.
const char* get_recipient(std::string_view& in, RecipientView& recipient) {
  std::uint8_t flags = 0;
  std::uint8_t action = 0;
  EnhancedStatus& status = recipient.status;
  if (!get_u8(in, flags) || !get_u8(in, action) || !get_u8(in, status.status_class) ||
      !get_u16(in, status.subject) || !get_u16(in, status.detail) ||
      !get_typed(in, recipient.original) || !get_typed(in, recipient.final) ||
      !get_optional_fields(in, flags, recipient)) {
    return "recipient cut off";
  }
  constexpr unsigned kAllFlags = kRedirected | kHasRemoteMta | kHasLastAttempt | kHasWillRetryUntil;
  if ((flags & ~kAllFlags) != 0 || action > static_cast<std::uint8_t>(Action::opaque)) {
    return "unknown flag or action";
  }
  recipient.action = static_cast<Action>(action);
  recipient.redirected = (flags & kRedirected) != 0;
  const bool odd_opaque =
      recipient.action == Action::opaque && status != status_of(Outcome(Opaque{}));
  if (odd_opaque || fault_of(shape_of(recipient))) {
    return "an outcome that RFC 3886 forbids";
  }
  return nullptr;
}

}  // namespace

void encode_message(const StoredMessage& stored, std::string& out) {
  const TrackedMessage& message = stored.message;
  open_record(out);
  put_u8(out, static_cast<std::uint8_t>((stored.visible ? kVisible : 0U) |
                                        (message.queued ? kQueued : 0U)));
  put_time(out, message.expires_at);
  put_time(out, message.arrival);
  put_u16(out, static_cast<std::uint16_t>(static_cast<std::int16_t>(message.utc_offset.count())));
  put_name(out, message.reporting_mta);
  put_text(out, message.queue_id);
  put_varint(out, static_cast<std::uint32_t>(message.recipients.size()));
  for (const Recipient& recipient : message.recipients) {
    put_recipient(out, recipient);
  }
  seal_record(out);
}

Expected<StoredMessageView> decode_message_view(std::string_view record,
                                                std::vector<RecipientView>& recipients) {
  Expected<std::string_view> fields = unseal_record(record);
  if (!fields) {
    return Unexpected(fields.error());
  }
  std::string_view in = *fields;
  StoredMessageView stored;
  MessageView& message = stored.message;
  std::uint8_t flags = 0;
  std::uint16_t offset = 0;
  std::uint32_t count = 0;
  if (!get_u8(in, flags) || !get_time(in, message.expires_at) || !get_time(in, message.arrival) ||
      !get_u16(in, offset) || !get_typed(in, message.reporting_mta) ||
      !get_text(in, message.queue_id) || !get_varint(in, count)) {
    return corrupt("message cut off");
  }
  // A hostile count cannot reserve memory because of this.
  constexpr std::size_t kLeastRecipient = 11;
  if ((flags & ~(kVisible | kQueued)) != 0 || count == 0 || count > in.size() / kLeastRecipient) {
    return corrupt("unknown flag or impossible count");
  }
  stored.visible = (flags & kVisible) != 0;
  message.queued = (flags & kQueued) != 0;
  message.utc_offset = Minutes(static_cast<std::int16_t>(offset));
  for (std::uint32_t i = 0; i < count; ++i) {
    if (const char* fault = get_recipient(in, recipients.emplace_back())) {
      return corrupt(fault);
    }
  }
  if (!in.empty()) {
    return corrupt("octets left over");
  }
  return stored;
}

Expected<StoredMessage> decode_message(std::string_view record) {
  std::vector<RecipientView> recipients;
  Expected<StoredMessageView> stored = decode_message_view(record, recipients);
  if (!stored) {
    return Unexpected(stored.error());
  }
  stored->message.recipients = recipients;
  return StoredMessage{stored->visible, to_tracked_message(stored->message)};
}

void encode_trace(const StoredTrace& stored, std::string& out) {
  open_record(out);
  out += as_text(stored.key.octets());
  put_u8(out, static_cast<std::uint8_t>(stored.origin));
  put_u64(out, stored.ticket);
  put_time(out, stored.arrival);
  const bool timed = stored.passport && stored.passport->timeout;
  put_u8(out, static_cast<std::uint8_t>((stored.passport ? kHasPassport : 0U) |
                                        (timed ? kHasTimeout : 0U)));
  if (stored.passport) {
    put_text(out, stored.passport->envelope_id.decoded());
    out += as_text(stored.passport->certifier.octets());
  }
  if (timed) {
    put_u32(out, static_cast<std::uint32_t>(stored.passport->timeout->count()));
  }
  stored.trace.encode(out);
  seal_record(out);
}

namespace {

Expected<std::optional<Passport>> get_passport(std::string_view& in) {
  std::uint8_t flags = 0;
  if (!get_u8(in, flags) || flags > (kHasPassport | kHasTimeout) || flags == kHasTimeout) {
    return corrupt("unknown flag");
  }
  if (flags == 0) {
    return std::optional<Passport>();
  }
  std::string_view envid;
  Digest20 certifier{};
  std::uint32_t timeout = 0;
  if (!get_text(in, envid) || !get_octets(in, certifier) ||
      ((flags & kHasTimeout) != 0 && !get_u32(in, timeout))) {
    return corrupt("passport cut off");
  }
  Expected<EnvelopeId> envelope_id = EnvelopeId::from_decoded(envid);
  if (!envelope_id) {
    return corrupt("envelope id");
  }
  Passport passport{*std::move(envelope_id), TrackingCertifier::from_octets(certifier), {}};
  if ((flags & kHasTimeout) != 0) {
    passport.timeout = Seconds(timeout);
  }
  return std::optional<Passport>(std::move(passport));
}

}  // namespace

Expected<StoredTrace> decode_trace(std::string_view record) {
  Expected<std::string_view> fields = unseal_record(record);
  if (!fields) {
    return Unexpected(fields.error());
  }
  std::string_view in = *fields;
  Digest32 key{};
  std::uint8_t origin = 0;
  std::uint64_t ticket = 0;
  TimePoint arrival;
  if (!get_octets(in, key) || !get_u8(in, origin) || !get_u64(in, ticket) ||
      !get_time(in, arrival) || origin > static_cast<std::uint8_t>(Origin::imported)) {
    return corrupt("trace cut off");
  }
  Expected<std::optional<Passport>> passport = get_passport(in);
  if (!passport) {
    return Unexpected(passport.error());
  }
  Expected<maillog::DeliveryTrace> trace = maillog::DeliveryTrace::decode(in);
  if (!trace) {
    return Unexpected(trace.error());
  }
  if (!in.empty()) {
    return corrupt("octets left over");
  }
  return StoredTrace{MessageKey::from_octets(key),
                     static_cast<Origin>(origin),
                     ticket,
                     arrival,
                     *std::move(passport),
                     *std::move(trace)};
}

void encode_cursor(const StoredCursor& stored, std::string& out) {
  const LogCursor& cursor = stored.cursor;
  open_record(out);
  put_u64(out, cursor.device);
  put_u64(out, cursor.inode);
  put_u64(out, cursor.offset);
  put_u32(out, cursor.head_octets);
  put_u32(out, cursor.head_crc);
  put_text(out, cursor.journal);
  put_u8(out, stored.newest ? kHasNewest : 0);
  if (stored.newest) {
    put_u64(out, static_cast<std::uint64_t>(stored.newest->time_since_epoch().count()));
  }
  seal_record(out);
}

Expected<StoredCursor> decode_cursor(std::string_view record) {
  Expected<std::string_view> fields = unseal_record(record);
  if (!fields) {
    return Unexpected(fields.error());
  }
  std::string_view in = *fields;
  StoredCursor stored;
  LogCursor& cursor = stored.cursor;
  std::uint8_t flags = 0;
  std::uint64_t newest = 0;
  if (!get_u64(in, cursor.device) || !get_u64(in, cursor.inode) || !get_u64(in, cursor.offset) ||
      !get_u32(in, cursor.head_octets) || !get_u32(in, cursor.head_crc) ||
      !get_string(in, cursor.journal) || !get_u8(in, flags) || flags > kHasNewest ||
      (flags == kHasNewest && !get_u64(in, newest)) || !in.empty()) {
    return corrupt("cursor");
  }
  if (flags == kHasNewest) {
    stored.newest = LogTime(Microseconds(static_cast<std::int64_t>(newest)));
  }
  return stored;
}

void encode_number(std::uint64_t number, std::string& out) {
  open_record(out);
  put_u64(out, number);
  seal_record(out);
}

Expected<std::uint64_t> decode_number(std::string_view record) {
  Expected<std::string_view> fields = unseal_record(record);
  if (!fields) {
    return Unexpected(fields.error());
  }
  std::uint64_t number = 0;
  if (!get_u64(*fields, number) || !fields->empty()) {
    return corrupt("number");
  }
  return number;
}

}  // namespace mtrk::store

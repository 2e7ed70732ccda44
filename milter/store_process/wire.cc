#include "milter/store_process/wire.h"

#include "common/base/codec.h"

#include <utility>

namespace mtrk::store_wire {
namespace {

constexpr std::size_t kHead = 4;      // the length of what follows it
constexpr std::size_t kStageAt = 13;  // in the frame of a Put: after length, kind and sequence

void put_seconds(std::string& out, Seconds seconds) {
  put_u64(out, static_cast<std::uint64_t>(seconds.count()));
}
bool get_seconds(std::string_view& in, Seconds& seconds) {
  std::uint64_t count = 0;
  if (!get_u64(in, count)) {
    return false;
  }
  seconds = Seconds(static_cast<std::int64_t>(count));
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

void put_address(std::string& out, const TypedAddress& address) {
  put_text(out, address.type);
  put_text(out, address.value);
}
bool get_address(std::string_view& in, TypedAddress& address) {
  return get_string(in, address.type) && get_string(in, address.value);
}

void put_fields(std::string& out, const Put& put) {
  const store::Capture& capture = put.capture;
  put_u64(out, put.sequence);
  put_u8(out, static_cast<std::uint8_t>(capture.stage));
  put_text(out, capture.queue_id.text());
  put_text(out, capture.envelope_id.decoded());
  put_text(out, as_text(capture.certifier.octets()));
  put_u8(out, capture.timeout ? 1 : 0);
  put_seconds(out, capture.timeout.value_or(Seconds(0)));
  put_text(out, capture.reporting_mta.type);
  put_text(out, capture.reporting_mta.name);
  put_seconds(out, capture.arrival.time_since_epoch());
  put_u32(out, static_cast<std::uint32_t>(capture.utc_offset.count()));
  put_u64(out, capture.ticket);
  put_varint(out, static_cast<std::uint32_t>(capture.recipients.size()));
  for (const store::Capture::Recipient& recipient : capture.recipients) {
    put_address(out, recipient.original);
    put_address(out, recipient.final);
  }
}

std::optional<Message> get_put(std::string_view in) {
  Sequence sequence = 0;
  std::uint8_t stage = 0;
  std::uint8_t has_timeout = 0;
  std::string_view queue_id_text;
  std::string_view envelope_id_text;
  std::string_view certifier_text;
  Seconds timeout{0};
  Seconds arrival{0};
  std::uint32_t offset = 0;
  std::uint64_t ticket = 0;
  std::uint32_t count = 0;
  MtaName mta;
  if (!get_u64(in, sequence) || !get_u8(in, stage) || stage > 1 || !get_text(in, queue_id_text) ||
      !get_text(in, envelope_id_text) || !get_text(in, certifier_text) ||
      !get_u8(in, has_timeout) || !get_seconds(in, timeout) || !get_string(in, mta.type) ||
      !get_string(in, mta.name) || !get_seconds(in, arrival) || !get_u32(in, offset) ||
      !get_u64(in, ticket) || !get_varint(in, count) || count == 0 || count > in.size()) {
    return std::nullopt;
  }
  std::vector<store::Capture::Recipient> recipients(count);
  for (store::Capture::Recipient& recipient : recipients) {
    if (!get_address(in, recipient.original) || !get_address(in, recipient.final)) {
      return std::nullopt;
    }
  }
  std::optional<QueueId> queue_id = QueueId::parse(queue_id_text);
  Expected<EnvelopeId> envelope_id = EnvelopeId::from_decoded(envelope_id_text);
  Digest20 certifier{};
  if (!queue_id || !envelope_id || certifier_text.size() != certifier.size() || !in.empty()) {
    return std::nullopt;
  }
  certifier_text.copy(reinterpret_cast<char*>(certifier.data()), certifier.size());
  return Put{sequence,
             {.queue_id = *std::move(queue_id),
              .envelope_id = *std::move(envelope_id),
              .certifier = TrackingCertifier::from_octets(certifier),
              .timeout = has_timeout != 0 ? std::optional(timeout) : std::nullopt,
              .reporting_mta = std::move(mta),
              .arrival = TimePoint(arrival),
              .utc_offset = Minutes(static_cast<std::int32_t>(offset)),
              .ticket = ticket,
              .stage = stage == 0 ? store::Stage::provisional : store::Stage::final,
              .recipients = std::move(recipients)}};
}

void put_fields(std::string& out, const Confirm& confirm) {
  put_u64(out, confirm.sequence);
  put_u64(out, confirm.put);
  put_text(out, confirm.confirmation.queue_id);
  put_u64(out, confirm.confirmation.ticket);
}
std::optional<Message> get_confirm(std::string_view in) {
  Confirm confirm;
  return get_u64(in, confirm.sequence) && get_u64(in, confirm.put) &&
                 get_string(in, confirm.confirmation.queue_id) &&
                 get_u64(in, confirm.confirmation.ticket)
             ? std::optional<Message>(std::move(confirm))
             : std::nullopt;
}

void put_fields(std::string& out, const Drop& drop) {
  put_u64(out, drop.sequence);
  put_text(out, drop.drop.queue_id);
  put_u64(out, drop.drop.ticket);
}
std::optional<Message> get_drop(std::string_view in) {
  Drop drop;
  return get_u64(in, drop.sequence) && get_string(in, drop.drop.queue_id) &&
                 get_u64(in, drop.drop.ticket)
             ? std::optional<Message>(std::move(drop))
             : std::nullopt;
}

void put_fields(std::string& out, const Hurry& hurry) {
  put_u64(out, hurry.sequence);
  put_u64(out, hurry.company);
}
std::optional<Message> get_hurry(std::string_view in) {
  Hurry hurry;
  return get_u64(in, hurry.sequence) && get_u64(in, hurry.company) ? std::optional<Message>(hurry)
                                                                   : std::nullopt;
}

void put_fields(std::string& /*out*/, const Begin& /*begin*/) {}
void put_fields(std::string& /*out*/, const Reload& /*reload*/) {}
void put_fields(std::string& /*out*/, const Stop& /*stop*/) {}

void put_fields(std::string& out, const Ready& ready) {
  put_text(out, ready.log);
}
std::optional<Message> get_ready(std::string_view in) {
  Ready ready;
  return get_string(in, ready.log) ? std::optional<Message>(std::move(ready)) : std::nullopt;
}

void put_fields(std::string& out, const Done& done) {
  put_u64(out, done.sequence);
  put_u8(out, done.result == CommitResult::committed ? 1 : 0);
}
std::optional<Message> get_done(std::string_view in) {
  Done done;
  std::uint8_t committed = 0;
  if (!get_u64(in, done.sequence) || !get_u8(in, committed)) {
    return std::nullopt;
  }
  done.result = committed == 1 ? CommitResult::committed : CommitResult::failed;
  return done;
}

void put_fields(std::string& out, const Batch& batch) {
  put_u8(out, batch.committed ? 1 : 0);
  put_u64(out, static_cast<std::uint64_t>(batch.took.count()));
}
std::optional<Message> get_batch(std::string_view in) {
  std::uint8_t committed = 0;
  std::uint64_t took = 0;
  if (!get_u8(in, committed) || !get_u64(in, took)) {
    return std::nullopt;
  }
  return Batch{committed == 1, std::chrono::nanoseconds(static_cast<std::int64_t>(took))};
}

void put_fields(std::string& out, const Status& status) {
  put_text(out, status.text);
}
std::optional<Message> get_status(std::string_view in) {
  Status status;
  return get_string(in, status.text) ? std::optional<Message>(std::move(status)) : std::nullopt;
}

std::optional<Message> get_message(std::size_t kind, std::string_view in) {
  switch (kind) {  // by the index in Message
    case 0:
      return get_put(in);
    case 1:
      return get_confirm(in);
    case 2:
      return get_drop(in);
    case 3:
      return get_hurry(in);
    case 4:
      return Begin{};
    case 5:
      return Reload{};
    case 6:
      return Stop{};
    case 7:
      return get_ready(in);
    case 8:
      return get_done(in);
    case 9:
      return get_batch(in);
    case 10:
      return get_status(in);
    default:
      return std::nullopt;
  }
}

}  // namespace

void append_frame(std::string& out, const Message& message) {
  const std::size_t begin = out.size();
  put_u32(out, 0);
  put_u8(out, static_cast<std::uint8_t>(message.index()));
  std::visit([&out](const auto& what) { put_fields(out, what); }, message);
  std::string length;
  put_u32(length, static_cast<std::uint32_t>(out.size() - begin - kHead));
  out.replace(begin, kHead, length);
}

void make_final(std::string& frame) {
  frame.at(kStageAt) = static_cast<char>(store::Stage::final);
}

Expected<std::optional<Message>> Frames::next() {
  std::string_view rest = std::string_view(buffer_).substr(used_);
  std::uint32_t length = 0;
  const bool has_length = get_u32(rest, length);
  if (has_length && (length == 0 || length > kMostOctets)) {
    return fail(ErrorCode::corrupt, "a frame of an impossible length");
  }
  if (!has_length || rest.size() < length) {
    buffer_.erase(0, std::exchange(used_, 0));
    return std::optional<Message>();
  }
  const auto kind = static_cast<unsigned char>(rest.front());
  std::optional<Message> message = get_message(kind, rest.substr(1, length - 1));
  if (!message) {
    return fail(ErrorCode::corrupt, "a frame that is not understood");
  }
  used_ += kHead + length;
  return message;
}

}  // namespace mtrk::store_wire

#pragma once

#include "common/base/expected.h"
#include "common/base/time.h"
#include "common/maillog/delivery_trace.h"
#include "common/store/tracking_writer.h"
#include "common/track/certifier.h"
#include "common/track/envelope_id.h"
#include "common/track/message_key.h"
#include "common/track/message_view.h"
#include "common/track/tracked_message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// These functions encode and decode the values of the store (store_format.h): a version octet,
// fields of common/base/codec.h, and a CRC-32C. encode_x() replaces the content of `out`.
// decode_x() is total: any octets yield a value or an Error (`corrupt` for a wrong checksum or
// inner length, `unsupported` for a version that this program does not know), and a decoded value
// encodes to the same octets again. The functions are pure, and linear in the input.
namespace mtrk::store {

// A StoredMessage is a row of `message`.
struct StoredMessage {
  bool visible = false;  // final or confirmed: readers may show it
  TrackedMessage message;
};
void encode_message(const StoredMessage& message, std::string& out);
[[nodiscard]] Expected<StoredMessage> decode_message(std::string_view record);
// Decodes a message as views into `record`. The recipients are appended to `recipients`;
// `message.recipients` is left to the caller, who knows when that vector is complete.
struct StoredMessageView {
  bool visible = false;
  MessageView message;
};
[[nodiscard]] Expected<StoredMessageView> decode_message_view(
    std::string_view record, std::vector<RecipientView>& recipients);

// An Origin says where a trace came from, and so what must happen before its message counts as
// accepted.
enum class Origin : std::uint8_t { provisional, final, imported };

// A Passport is what passing MTRK on to the next hop requires (RFC 3885 §3.3). It exists only while
// the message is queued.
struct Passport {
  EnvelopeId envelope_id;
  TrackingCertifier certifier;
  std::optional<Seconds> timeout;
};

// A StoredTrace is a row of `trace`.
struct StoredTrace {
  MessageKey key;
  Origin origin = Origin::provisional;
  std::uint64_t ticket = 0;
  TimePoint arrival;
  std::optional<Passport> passport;
  maillog::DeliveryTrace trace;
};
void encode_trace(const StoredTrace& trace, std::string& out);
[[nodiscard]] Expected<StoredTrace> decode_trace(std::string_view record);

// A StoredCursor is a row of `cursor`: the position, and the newest stamp seen up to there.
struct StoredCursor {
  LogCursor cursor;
  std::optional<LogTime> newest;
};
void encode_cursor(const StoredCursor& cursor, std::string& out);
[[nodiscard]] Expected<StoredCursor> decode_cursor(std::string_view record);

// These encode and decode a row of `queue`, and the numbers in `meta`.
void encode_number(std::uint64_t number, std::string& out);
[[nodiscard]] Expected<std::uint64_t> decode_number(std::string_view record);

}  // namespace mtrk::store

#pragma once

#include "common/base/time.h"
#include "common/track/message_view.h"

#include <optional>
#include <string>
#include <string_view>

// All content of a tracking status is written by these functions. The values come from envelopes,
// logs and remote servers, which are not trusted. Whatever a value holds, put_field() writes
// exactly one field of ASCII 32..126 (any other octet becomes '?'). No line has more than 998
// octets, a value has at most 1024 octets ("[truncated]" at its end marks a cut), and line ends
// occur only at folds. No line can be mistaken for a MIME delimiter, because each starts with a
// field name or a blank.
namespace mtrk {

enum class FieldName {
  original_envelope_id,
  reporting_mta,
  arrival_date,
  original_recipient,
  final_recipient,
  action,
  status,
  remote_mta,
  last_attempt_date,
  will_retry_until,
};

[[nodiscard]] std::string_view to_string(FieldName name);                  // "Original-Envelope-Id"
[[nodiscard]] std::optional<FieldName> find_field(std::string_view name);  // in any case

inline constexpr std::size_t kMaxFieldLine = 998;    // RFC 3887 §2.3, without CRLF
inline constexpr std::size_t kMaxFieldValue = 1024;  // THR-P8

void put_field(std::string& out, FieldName name, std::string_view value);
// Writes `type; value` of RFC 3464 §2.1.2. A type that is not an atom of at most 64 octets becomes
// "unknown".
void put_field(std::string& out, FieldName name, const TypedView& value);
void put_date(std::string& out, FieldName name, TimePoint at, Minutes utc_offset);
// Writes an address. One with UTF-8 is written in the ASCII form of RFC 6533 §3 with the type utf-8
//
void put_address(std::string& out, FieldName name, const TypedView& address);

}  // namespace mtrk

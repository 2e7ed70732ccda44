#pragma once

#include "common/base/time.h"
#include "common/track/message_view.h"

#include <optional>
#include <string>
#include <string_view>

// The one way into the content of a tracking status. Values come from envelopes, logs and remote
// servers, that is from strangers; whatever they hold, put_field() writes one field and nothing
// else: ASCII 32..126 (any other octet becomes '?'), no line over 998 octets, the value at most
// 1024 octets ("[truncated]" at its end says that there was more), a line end only where a fold
// puts one. No line it writes can be mistaken for a MIME delimiter: each starts with a field name
// or a blank.
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
[[nodiscard]] std::optional<FieldName> find_field(std::string_view name);  // any case

inline constexpr std::size_t kMaxFieldLine = 998;    // RFC 3887 §2.3, without CRLF
inline constexpr std::size_t kMaxFieldValue = 1024;  // THR-P8

void put_field(std::string& out, FieldName name, std::string_view value);
// `type; value` of RFC 3464 §2.1.2; a type that is no atom of at most 64 octets is "unknown".
void put_field(std::string& out, FieldName name, const TypedView& value);
void put_date(std::string& out, FieldName name, TimePoint at, Minutes utc_offset);
// The same for an address: UTF-8 in the ASCII form of RFC 6533 §3, type utf-8.
void put_address(std::string& out, FieldName name, const TypedView& address);

}  // namespace mtrk

#pragma once

#include "common/base/expected.h"
#include "common/track/message_view.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// These functions write and parse message/tracking-status (RFC 3886), the part of a report that one
// reporting MTA makes. The writers are strict and the parser is liberal.
namespace mtrk {

// Append the content: the per-message fields, then one group per recipient. Each group starts with
// the blank line that separates it from what precedes it. Line ends are CRLF, including that of the
// last field. All outside data pass through put_field(), which writes ASCII 32..126 only, folds
// lines, cuts values at 1024 octets and writes UTF-8 addresses in the forms of RFC 6533 (THR-P1 to
// THR-P10). Transactions that share a part share its message fields. `envelope_id` is the id
// of the query that found the message.
void append_message_fields(std::string& out,
                           std::string_view envelope_id,
                           const MessageView& message);
void append_recipient_groups(std::string& out, const MessageView& message);

// These structs hold the report of a peer. The parser accepts fields in any order, names in any
// case, folded lines, comments and missing fields. A recipient group without a known Action is kept
// as opaque with `complete` false. Lines that are not fields are skipped; the first of
// several equal fields counts. The values are octets as received: escape them before they reach a
// terminal.
struct ReportedRecipient {
  TypedAddress original;  // the type is empty if absent
  TypedAddress final;
  Action action = Action::opaque;
  std::optional<EnhancedStatus> status;
  std::optional<MtaName> remote_mta;
  std::optional<ZonedTime> last_attempt;
  std::optional<ZonedTime> will_retry_until;
  std::vector<std::pair<std::string, std::string>> extensions;
  bool complete = false;  // the four required fields were present and understood (MTSN-3.3-01)
};
struct TrackingStatus {
  std::string original_envelope_id;
  MtaName reporting_mta;
  std::optional<ZonedTime> arrival;
  std::vector<std::pair<std::string, std::string>> extensions;
  std::vector<ReportedRecipient> recipients;
};
// Fails only if there is no field that RFC 3886 names. Runs in linear time in the size of
// `content`.
[[nodiscard]] Expected<TrackingStatus> parse_tracking_status(std::string_view content);

}  // namespace mtrk

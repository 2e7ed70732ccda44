#pragma once

#include "common/base/expected.h"
#include "common/track/message_view.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// message/tracking-status, RFC 3886: one per reporting MTA. Strict on output, liberal on input.
namespace mtrk {

// Append the content: per-message fields, then a group per recipient, each of which starts with the
// blank line that parts it from what stands before; CRLF line ends, the last field's included.
// Everything that came from outside passes one emitter, put_field(), which yields ASCII 32..126
// only, folds lines, cuts values at 1024 octets, and writes UTF-8 addresses in the forms of
// RFC 6533 (THR-P1 to THR-P10). Transactions that share a part have its message fields in common
// . `envelope_id` is the id of the query that hit.
void append_message_fields(std::string& out,
                           std::string_view envelope_id,
                           const MessageView& message);
void append_recipient_groups(std::string& out, const MessageView& message);

// What a peer's report says. Fields in any order, names in any case, folded lines, comments,
// missing fields: all accepted; a recipient group without a known Action is kept as opaque with
// `complete` false. Lines that are no fields are skipped; of a repeated field the first
// counts. Values are a stranger's octets as received: escape them before they reach a terminal.
struct ReportedRecipient {
  TypedAddress original;  // empty type if absent
  TypedAddress final;
  Action action = Action::opaque;
  std::optional<EnhancedStatus> status;
  std::optional<MtaName> remote_mta;
  std::optional<ZonedTime> last_attempt;
  std::optional<ZonedTime> will_retry_until;
  std::vector<std::pair<std::string, std::string>> extensions;
  bool complete = false;  // the four required fields were there and understood (MTSN-3.3-01)
};
struct TrackingStatus {
  std::string original_envelope_id;
  MtaName reporting_mta;
  std::optional<ZonedTime> arrival;
  std::vector<std::pair<std::string, std::string>> extensions;
  std::vector<ReportedRecipient> recipients;
};
// Fails only if there is not one field that RFC 3886 names. Linear in the size of `content`.
[[nodiscard]] Expected<TrackingStatus> parse_tracking_status(std::string_view content);

}  // namespace mtrk

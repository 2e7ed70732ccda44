#include "common/track/tracking_status.h"

#include "common/track/report_field.h"

namespace mtrk {
namespace {

// RFC 3886 §3.3: the order is part of the grammar.
void append_recipient_fields(std::string& out, const Recipient& recipient, Minutes utc_offset) {
  const Outcome& outcome = recipient.outcome;
  put_address(out, FieldName::original_recipient, recipient.original);
  put_address(out, FieldName::final_recipient, recipient.final);
  put_field(out, FieldName::action, to_string(action_of(outcome)));
  put_field(out, FieldName::status, format_enhanced_status(status_of(outcome)));
  if (const MtaName* remote_mta = find_remote_mta(outcome)) {
    put_field(out, FieldName::remote_mta, remote_mta->type, remote_mta->name);
  }
  if (const std::optional<TimePoint> at = last_attempt_of(outcome)) {
    put_date(out, FieldName::last_attempt_date, *at, utc_offset);
  }
  if (const std::optional<TimePoint> until = will_retry_until_of(outcome)) {
    put_date(out, FieldName::will_retry_until, *until, utc_offset);
  }
}

}  // namespace

void append_message_fields(std::string& out,
                           std::string_view envelope_id,
                           const TrackedMessage& message) {
  const MtaName& reporting_mta = message.reporting_mta;
  put_field(out, FieldName::original_envelope_id, envelope_id);
  put_field(out, FieldName::reporting_mta, reporting_mta.type, reporting_mta.name);
  put_date(out, FieldName::arrival_date, message.arrival, message.utc_offset);
}

void append_recipient_groups(std::string& out, const TrackedMessage& message) {
  for (const Recipient& recipient : message.recipients) {
    out.append("\r\n");
    append_recipient_fields(out, recipient, message.utc_offset);
  }
}

void append_tracking_status(std::string& out,
                            std::string_view envelope_id,
                            const TrackedMessage& message) {
  append_message_fields(out, envelope_id, message);
  append_recipient_groups(out, message);
}

}  // namespace mtrk

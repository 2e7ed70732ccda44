#include "common/track/tracking_status.h"

#include "common/track/report_field.h"

namespace mtrk {
namespace {

// The order of the fields is part of the grammar (RFC 3886 §3.3).
void append_recipient_fields(std::string& out, const RecipientView& recipient, Minutes utc_offset) {
  put_address(out, FieldName::original_recipient, recipient.original);
  put_address(out, FieldName::final_recipient, recipient.final);
  put_field(out, FieldName::action, to_string(recipient.action));
  put_field(out, FieldName::status, format_enhanced_status(recipient.status));
  if (recipient.remote_mta) {
    put_field(out, FieldName::remote_mta, *recipient.remote_mta);
  }
  if (recipient.last_attempt) {
    put_date(out, FieldName::last_attempt_date, *recipient.last_attempt, utc_offset);
  }
  if (recipient.will_retry_until) {
    put_date(out, FieldName::will_retry_until, *recipient.will_retry_until, utc_offset);
  }
}

}  // namespace

void append_message_fields(std::string& out,
                           std::string_view envelope_id,
                           const MessageView& message) {
  put_field(out, FieldName::original_envelope_id, envelope_id);
  put_field(out, FieldName::reporting_mta, message.reporting_mta);
  put_date(out, FieldName::arrival_date, message.arrival, message.utc_offset);
}

void append_recipient_groups(std::string& out, const MessageView& message) {
  for (const RecipientView& recipient : message.recipients) {
    out.append("\r\n");
    append_recipient_fields(out, recipient, message.utc_offset);
  }
}

}  // namespace mtrk

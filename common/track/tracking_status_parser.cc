#include "common/base/ascii.h"
#include "common/track/field_reader.h"
#include "common/track/report_field.h"
#include "common/track/tracking_status.h"

// This file holds the parser of tracking_status.h. It tells message and recipient fields apart by
// their names alone, so a missing empty line or a misplaced field does not affect the others.
namespace mtrk {
namespace {

// Returns 4.4.1 for "4.4.1 (No answer)": a comment may follow (RFC 3464 §2.1.1).
std::string_view first_word(std::string_view value) {
  return value.substr(0, value.find_first_of(" \t("));
}

// A TypedText is "x; y", or a value without a type, which a draft of RFC 3886 allowed and which
// gets the type "unknown".
struct TypedText {
  std::string type;
  std::string text;
};
TypedText split_typed(std::string_view value) {
  Expected<TypedAddress> typed = parse_typed_address(value);
  if (!typed) {
    return {"unknown", std::string(value)};
  }
  return {std::move(typed->type), std::move(typed->value)};
}

TypedAddress to_address(std::string_view value) {
  TypedText typed = split_typed(value);
  return {std::move(typed.type), std::move(typed.text)};
}

// Names contain no blanks: what follows one is a comment, such as "(192.0.2.1)".
std::optional<MtaName> to_mta_name(std::string_view value) {
  TypedText typed = split_typed(value);
  typed.text.resize(first_word(typed.text).size());
  if (typed.text.empty()) {
    return std::nullopt;
  }
  return MtaName{std::move(typed.type), std::move(typed.text)};
}

std::optional<ZonedTime> to_time(std::string_view value) {
  const Expected<ZonedTime> time = parse_rfc5322_date(value);
  return time ? std::optional(*time) : std::nullopt;
}

constexpr unsigned bit_of(FieldName field) {
  return 1U << static_cast<unsigned>(field);
}
constexpr unsigned kMessageFields = bit_of(FieldName::original_envelope_id) |
                                    bit_of(FieldName::reporting_mta) |
                                    bit_of(FieldName::arrival_date);
constexpr unsigned kRequiredFields = bit_of(FieldName::original_recipient) |
                                     bit_of(FieldName::final_recipient) |
                                     bit_of(FieldName::action) | bit_of(FieldName::status);

// A StatusBuilder collects the fields of one report.
class StatusBuilder {
 public:
  void take(std::string_view name, std::string_view value);
  void end_group();
  [[nodiscard]] bool empty() const { return seen_ == 0 && status_.recipients.empty(); }
  [[nodiscard]] TrackingStatus take_status() { return std::move(status_); }

 private:
  ReportedRecipient& recipient();
  void set_message_field(FieldName field, std::string_view value);
  void set_recipient_field(FieldName field, std::string_view value);

  TrackingStatus status_;
  bool first_group_ = true;
  bool has_recipient_ = false;    // the last of status_.recipients belongs to this group
  unsigned seen_ = 0;             // the message fields seen so far
  unsigned seen_in_group_ = 0;    // the recipient fields seen in this group
  std::optional<Action> action_;  // of this group, if it is known
};

// Returns the recipient of this group, and adds it first if necessary.
ReportedRecipient& StatusBuilder::recipient() {
  if (!has_recipient_) {
    status_.recipients.emplace_back();
    has_recipient_ = true;
  }
  return status_.recipients.back();
}

void StatusBuilder::take(std::string_view name, std::string_view value) {
  const std::optional<FieldName> field = find_field(name);
  if (!field) {
    auto& extensions =
        first_group_ && !has_recipient_ ? status_.extensions : recipient().extensions;
    extensions.emplace_back(name, value);
    return;
  }
  const unsigned bit = bit_of(*field);
  unsigned& seen = (bit & kMessageFields) != 0 ? seen_ : seen_in_group_;
  if ((seen & bit) != 0) {
    return;  // only the first one counts
  }
  seen |= bit;
  if ((bit & kMessageFields) != 0) {
    set_message_field(*field, value);
  } else {
    set_recipient_field(*field, value);
  }
}

void StatusBuilder::set_message_field(FieldName field, std::string_view value) {
  if (field == FieldName::original_envelope_id) {
    status_.original_envelope_id = value;
  } else if (field == FieldName::reporting_mta) {
    status_.reporting_mta = to_mta_name(value).value_or(MtaName{});
  } else {
    status_.arrival = to_time(value);
  }
}

void StatusBuilder::set_recipient_field(FieldName field, std::string_view value) {
  ReportedRecipient& group = recipient();
  switch (field) {
    case FieldName::original_recipient:
      group.original = to_address(value);
      break;
    case FieldName::final_recipient:
      group.final = to_address(value);
      break;
    case FieldName::action:
      action_ = parse_action(first_word(value));
      group.action = action_.value_or(Action::opaque);
      break;
    case FieldName::status:
      group.status = parse_enhanced_status(first_word(value));
      break;
    case FieldName::remote_mta:
      group.remote_mta = to_mta_name(value);
      break;
    case FieldName::last_attempt_date:
      group.last_attempt = to_time(value);
      break;
    default:
      group.will_retry_until = to_time(value);
      break;
  }
}

void StatusBuilder::end_group() {
  if (has_recipient_) {
    ReportedRecipient& group = status_.recipients.back();
    if ((seen_in_group_ & kRequiredFields) == 0) {
      status_.recipients.pop_back();  // extensions alone do not name a recipient
    } else {
      group.complete =
          (seen_in_group_ & kRequiredFields) == kRequiredFields && action_ && group.status;
    }
  }
  first_group_ = first_group_ && seen_ == 0 && seen_in_group_ == 0;
  has_recipient_ = false;
  seen_in_group_ = 0;
  action_.reset();
}

}  // namespace

Expected<TrackingStatus> parse_tracking_status(std::string_view content) {
  FieldReader reader(content);
  StatusBuilder builder;
  for (;;) {
    const FieldReader::Item item = reader.next();
    if (item == FieldReader::Item::field) {
      builder.take(reader.name(), reader.value());
      continue;
    }
    builder.end_group();
    if (item == FieldReader::Item::end) {
      break;
    }
  }
  if (builder.empty()) {
    return fail(ErrorCode::syntax, "no field of a tracking status");
  }
  return builder.take_status();
}

}  // namespace mtrk

#include "common/track/message_view.h"

namespace mtrk {
namespace {

TypedView view_of(const TypedAddress& address) {
  return {address.type, address.value};
}
TypedView view_of(const MtaName& name) {
  return {name.type, name.name};
}
TypedAddress to_address(const TypedView& view) {
  return {std::string(view.type), std::string(view.value)};
}
MtaName to_mta_name(const TypedView& view) {
  return {std::string(view.type), std::string(view.value)};
}

RecipientView view_of(const Recipient& recipient) {
  const Outcome& outcome = recipient.outcome;
  RecipientView view;
  view.original = view_of(recipient.original);
  view.final = view_of(recipient.final);
  view.action = action_of(outcome);
  view.status = status_of(outcome);
  if (const MtaName* remote_mta = find_remote_mta(outcome)) {
    view.remote_mta = view_of(*remote_mta);
  }
  view.last_attempt = last_attempt_of(outcome);
  view.will_retry_until = will_retry_until_of(outcome);
  view.redirected = recipient.redirected;
  return view;
}

Recipient to_recipient(const RecipientView& view) {
  OutcomeFields fields;
  fields.action = view.action;
  fields.status = view.status;
  if (view.remote_mta) {
    fields.remote_mta = to_mta_name(*view.remote_mta);
  }
  fields.last_attempt = view.last_attempt;
  fields.will_retry_until = view.will_retry_until;
  return {to_address(view.original), to_address(view.final), make_outcome(fields).value(),
          view.redirected};
}

}  // namespace

OutcomeShape shape_of(const RecipientView& recipient) {
  return {recipient.action, recipient.status, recipient.remote_mta.has_value(),
          recipient.last_attempt.has_value(), recipient.will_retry_until.has_value()};
}

TrackedMessage to_tracked_message(const MessageView& view) {
  TrackedMessage message;
  message.reporting_mta = to_mta_name(view.reporting_mta);
  message.arrival = view.arrival;
  message.utc_offset = view.utc_offset;
  message.expires_at = view.expires_at;
  message.queued = view.queued;
  message.queue_id = view.queue_id;
  message.recipients.reserve(view.recipients.size());
  for (const RecipientView& recipient : view.recipients) {
    message.recipients.push_back(to_recipient(recipient));
  }
  return message;
}

MessageViews::MessageViews(std::span<const TrackedMessage> messages) {
  std::size_t total = 0;
  for (const TrackedMessage& message : messages) {
    total += message.recipients.size();
  }
  recipients_.reserve(total);  // keeps the spans below valid
  messages_.reserve(messages.size());
  for (const TrackedMessage& message : messages) {
    const std::size_t first = recipients_.size();
    for (const Recipient& recipient : message.recipients) {
      recipients_.push_back(view_of(recipient));
    }
    messages_.push_back({view_of(message.reporting_mta), message.arrival, message.utc_offset,
                         message.expires_at, message.queued, message.queue_id,
                         std::span(recipients_).subspan(first)});
  }
}

}  // namespace mtrk

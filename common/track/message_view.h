#pragma once

#include "common/track/tracked_message.h"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

// A MessageView describes a tracked message by views; answers are made from it. The octets belong
// to another object: a page of the store while its snapshot exists, or a TrackedMessage. In this
// way answering a query copies each text only once, into the answer.
namespace mtrk {

struct TypedView {
  std::string_view type;
  std::string_view value;

  bool operator==(const TypedView&) const = default;
};

struct RecipientView {
  TypedView original;
  TypedView final;
  // The action, the status and the fields below are a combination that fault_of() in outcome.h
  // accepts.
  Action action = Action::opaque;
  EnhancedStatus status{2, 0, 0};
  std::optional<TypedView> remote_mta;
  std::optional<TimePoint> last_attempt;
  std::optional<TimePoint> will_retry_until;
  bool redirected = false;
};

struct MessageView {
  TypedView reporting_mta;
  TimePoint arrival;
  Minutes utc_offset{0};
  TimePoint expires_at;
  bool queued = false;
  std::string_view queue_id;
  std::span<RecipientView> recipients;
};

[[nodiscard]] OutcomeShape shape_of(const RecipientView& recipient);
[[nodiscard]] TrackedMessage to_tracked_message(const MessageView& view);

// MessageViews holds views of `messages`, which must outlive it.
class MessageViews {
 public:
  explicit MessageViews(std::span<const TrackedMessage> messages);
  [[nodiscard]] std::span<MessageView> messages() { return messages_; }

 private:
  std::vector<RecipientView> recipients_;
  std::vector<MessageView> messages_;
};

}  // namespace mtrk

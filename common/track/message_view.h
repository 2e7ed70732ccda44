#pragma once

#include "common/track/tracked_message.h"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

// A tracked message as views: what an answer is made of. The octets belong to somebody else: to a
// page of the store while its snapshot lasts, or to a TrackedMessage. Answering a query this way
// copies each text once, into the answer.
namespace mtrk {

struct TypedView {
  std::string_view type;
  std::string_view value;

  bool operator==(const TypedView&) const = default;
};

struct RecipientView {
  TypedView original;
  TypedView final;
  // Always a combination that fault_of() in outcome.h has nothing against.
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

// Views of messages, which have to outlive them.
class MessageViews {
 public:
  explicit MessageViews(std::span<const TrackedMessage> messages);
  [[nodiscard]] std::span<MessageView> messages() { return messages_; }

 private:
  std::vector<RecipientView> recipients_;
  std::vector<MessageView> messages_;
};

}  // namespace mtrk

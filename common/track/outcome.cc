#include "common/track/outcome.h"

#include "common/base/ascii.h"

#include <array>
#include <type_traits>
#include <utility>

namespace mtrk {
namespace {

constexpr std::array<std::pair<Action, std::string_view>, 7> kActions{{
    {Action::failed, "failed"},
    {Action::delayed, "delayed"},
    {Action::delivered, "delivered"},
    {Action::expanded, "expanded"},
    {Action::relayed, "relayed"},
    {Action::transferred, "transferred"},
    {Action::opaque, "opaque"},
}};

constexpr EnhancedStatus kOpaqueStatus{2, 0, 0};
constexpr EnhancedStatus kNeverTriedStatus{4, 0, 0};

template <typename T, typename... Alternatives>
constexpr bool is_one_of = (std::is_same_v<T, Alternatives> || ...);

Error refusal(Action action, std::string_view rule) {
  return {ErrorCode::not_allowed, std::string("Action ").append(to_string(action)).append(rule)};
}

// Checks the rules that do not depend on the status: which optional fields may be present, and
// which must be.
std::optional<Error> presence_fault(const OutcomeShape& shape) {
  const Action action = shape.action;
  const bool attempt_optional = action == Action::delayed || action == Action::failed;
  if (shape.will_retry_until && action != Action::delayed) {
    return refusal(action, " does not allow Will-Retry-Until (RFC 3886 3.3.7, 3464 2.3.9)");
  }
  if (action == Action::opaque) {
    if (shape.last_attempt) {
      return refusal(action, " does not allow Last-Attempt-Date (RFC 3886 3.3.6)");
    }
    if (shape.remote_mta) {
      return refusal(action, " does not allow Remote-MTA (RFC 3886 3.3.5)");
    }
    return std::nullopt;
  }
  if (action == Action::expanded && shape.remote_mta) {
    return refusal(action, " does not allow Remote-MTA (RFC 3886 4.2: members are not shown)");
  }
  if (action == Action::transferred && !shape.remote_mta) {
    return refusal(action, " needs Remote-MTA (RFC 3886 3.3.3: it is the referral)");
  }
  if (!shape.last_attempt && !attempt_optional) {
    return refusal(action, " needs Last-Attempt-Date (RFC 3886 3.3.6)");
  }
  if (!shape.last_attempt && shape.remote_mta) {
    return refusal(action, " without an attempt does not allow Remote-MTA (RFC 3886 3.3.5)");
  }
  return std::nullopt;
}

std::optional<Error> status_fault(Action action, EnhancedStatus status) {
  switch (action) {
    case Action::delayed:
      if (!TransientStatus::make(status)) {
        return refusal(action, " needs a Status 4.x.y (RFC 3463 2)");
      }
      return std::nullopt;
    case Action::failed:
      if (!FailureStatus::make(status)) {
        return refusal(action, " needs a Status 5.x.y or 4.x.y (RFC 3463 2)");
      }
      return std::nullopt;
    case Action::relayed:
      if (status != kRelayedStatus) {
        return refusal(action, " needs Status 2.1.9 (RFC 3886 3.3.4)");
      }
      return std::nullopt;
    case Action::opaque:  // clients ignore what else it says
      if (status == kRelayedStatus) {
        return refusal(action, " does not allow Status 2.1.9 (RFC 3886 3.3.4)");
      }
      return std::nullopt;
    case Action::delivered:
    case Action::expanded:
    case Action::transferred:
      if (!SuccessStatus::make(status)) {
        return refusal(action, status == kRelayedStatus
                                   ? " does not allow Status 2.1.9 (RFC 3886 3.3.4)"
                                   : " needs a Status 2.x.y (RFC 3463 2)");
      }
      return std::nullopt;
  }
  return Error{ErrorCode::unsupported, "unknown Action"};
}

std::optional<LastAttempt> attempt_of(const OutcomeFields& fields) {
  if (!fields.last_attempt) {
    return std::nullopt;
  }
  return LastAttempt{*fields.last_attempt, fields.remote_mta};
}

// The fields must have passed the checks above.
Outcome build_outcome(const OutcomeFields& fields) {
  const EnhancedStatus status = fields.status;
  switch (fields.action) {
    case Action::delayed:
      return Delayed{*TransientStatus::make(status), attempt_of(fields), fields.will_retry_until};
    case Action::failed:
      return Failed{*FailureStatus::make(status), attempt_of(fields)};
    case Action::relayed:
      return Relayed{*attempt_of(fields)};
    case Action::delivered:
      return Delivered{*SuccessStatus::make(status), *attempt_of(fields)};
    case Action::expanded:
      return Expanded{*SuccessStatus::make(status), *fields.last_attempt};
    case Action::transferred:
      return Transferred{*SuccessStatus::make(status), *fields.last_attempt, *fields.remote_mta};
    case Action::opaque:
      break;
  }
  return Opaque{};
}

}  // namespace

std::string_view to_string(Action action) {
  for (const auto& [known, name] : kActions) {
    if (known == action) {
      return name;
    }
  }
  return "opaque";
}

std::optional<Action> parse_action(std::string_view text) {
  for (const auto& [action, name] : kActions) {
    if (iequals(text, name)) {
      return action;
    }
  }
  return std::nullopt;
}

std::optional<SuccessStatus> SuccessStatus::make(EnhancedStatus status) {
  if (status.status_class != 2 || status == kRelayedStatus) {
    return std::nullopt;
  }
  return SuccessStatus(status);
}

std::optional<TransientStatus> TransientStatus::make(EnhancedStatus status) {
  if (status.status_class != 4) {
    return std::nullopt;
  }
  return TransientStatus(status);
}

std::optional<FailureStatus> FailureStatus::make(EnhancedStatus status) {
  if (status.status_class != 4 && status.status_class != 5) {
    return std::nullopt;
  }
  return FailureStatus(status);
}

Action action_of(const Outcome& outcome) {
  // The order is that of Outcome's alternatives.
  static constexpr std::array<Action, std::variant_size_v<Outcome>> kOrder{
      Action::delayed, Action::delivered,   Action::failed, Action::expanded,
      Action::relayed, Action::transferred, Action::opaque};
  return kOrder[outcome.index()];
}

EnhancedStatus status_of(const Outcome& outcome) {
  return std::visit(
      [](const auto& known) {
        using T = std::decay_t<decltype(known)>;
        if constexpr (std::is_same_v<T, Relayed>) {
          return kRelayedStatus;
        } else if constexpr (std::is_same_v<T, Opaque>) {
          return kOpaqueStatus;
        } else {
          return known.status.value();
        }
      },
      outcome);
}

std::optional<TimePoint> last_attempt_of(const Outcome& outcome) {
  return std::visit(
      [](const auto& known) -> std::optional<TimePoint> {
        using T = std::decay_t<decltype(known)>;
        if constexpr (is_one_of<T, Delayed, Failed>) {
          return known.last_attempt ? std::optional(known.last_attempt->at) : std::nullopt;
        } else if constexpr (is_one_of<T, Delivered, Relayed>) {
          return known.last_attempt.at;
        } else if constexpr (is_one_of<T, Expanded, Transferred>) {
          return known.last_attempt;
        } else {
          return std::nullopt;
        }
      },
      outcome);
}

const MtaName* find_remote_mta(const Outcome& outcome) {
  return std::visit(
      [](const auto& known) -> const MtaName* {
        using T = std::decay_t<decltype(known)>;
        const std::optional<MtaName>* name = nullptr;
        if constexpr (is_one_of<T, Delayed, Failed>) {
          name = known.last_attempt ? &known.last_attempt->remote_mta : nullptr;
        } else if constexpr (is_one_of<T, Delivered, Relayed>) {
          name = &known.last_attempt.remote_mta;
        } else if constexpr (std::is_same_v<T, Transferred>) {
          return &known.remote_mta;
        }
        return name != nullptr && *name ? &**name : nullptr;
      },
      outcome);
}

std::optional<MtaName> remote_mta_of(const Outcome& outcome) {
  const MtaName* name = find_remote_mta(outcome);
  return name != nullptr ? std::optional(*name) : std::nullopt;
}

std::optional<TimePoint> will_retry_until_of(const Outcome& outcome) {
  const auto* delayed = std::get_if<Delayed>(&outcome);
  return delayed != nullptr ? delayed->will_retry_until : std::nullopt;
}

Outcome never_tried(std::optional<TimePoint> will_retry_until) {
  return Delayed{*TransientStatus::make(kNeverTriedStatus), std::nullopt, will_retry_until};
}

std::optional<Error> fault_of(const OutcomeShape& shape) {
  std::optional<Error> fault = presence_fault(shape);
  return fault ? std::move(fault) : status_fault(shape.action, shape.status);
}

Expected<Outcome> make_outcome(const OutcomeFields& fields) {
  std::optional<Error> fault =
      fault_of({fields.action, fields.status, fields.remote_mta.has_value(),
                fields.last_attempt.has_value(), fields.will_retry_until.has_value()});
  if (fault) {
    return Unexpected(*std::move(fault));
  }
  return build_outcome(fields);
}

OutcomeFields fields_of(const Outcome& outcome) {
  return {action_of(outcome), status_of(outcome), remote_mta_of(outcome), last_attempt_of(outcome),
          will_retry_until_of(outcome)};
}

}  // namespace mtrk

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

// One recipient group being checked against the table in outcome.h.
struct GroupCheck {
  const OutcomeFields& fields;

  [[nodiscard]] Unexpected refuse(std::string_view rule) const {
    return fail(ErrorCode::not_allowed,
                std::string("Action ").append(to_string(fields.action)).append(rule));
  }
  // The rules that do not depend on the status: which optional fields may and must be there.
  [[nodiscard]] std::optional<Error> presence_fault() const;
  [[nodiscard]] std::optional<LastAttempt> attempt() const {
    if (!fields.last_attempt) {
      return std::nullopt;
    }
    return LastAttempt{*fields.last_attempt, fields.remote_mta};
  }
};

std::optional<Error> GroupCheck::presence_fault() const {
  const Action action = fields.action;
  const bool attempt_optional = action == Action::delayed || action == Action::failed;
  if (fields.will_retry_until && action != Action::delayed) {
    return refuse(" does not allow Will-Retry-Until (RFC 3886 3.3.7, 3464 2.3.9)").value();
  }
  if (action == Action::opaque) {
    if (fields.last_attempt) {
      return refuse(" does not allow Last-Attempt-Date (RFC 3886 3.3.6)").value();
    }
    if (fields.remote_mta) {
      return refuse(" does not allow Remote-MTA (RFC 3886 3.3.5)").value();
    }
    return std::nullopt;
  }
  if (action == Action::expanded && fields.remote_mta) {
    return refuse(" does not allow Remote-MTA (RFC 3886 4.2: members are not shown)").value();
  }
  if (action == Action::transferred && !fields.remote_mta) {
    return refuse(" needs Remote-MTA (RFC 3886 3.3.3: it is the referral)").value();
  }
  if (!fields.last_attempt && !attempt_optional) {
    return refuse(" needs Last-Attempt-Date (RFC 3886 3.3.6)").value();
  }
  if (!fields.last_attempt && fields.remote_mta) {
    return refuse(" without an attempt does not allow Remote-MTA (RFC 3886 3.3.5)").value();
  }
  return std::nullopt;
}

Expected<Outcome> make_success(const GroupCheck& group) {
  const OutcomeFields& fields = group.fields;
  const std::optional<SuccessStatus> status = SuccessStatus::make(fields.status);
  if (!status) {
    return group.refuse(fields.status == kRelayedStatus
                            ? " does not allow Status 2.1.9 (RFC 3886 3.3.4)"
                            : " needs a Status 2.x.y (RFC 3463 2)");
  }
  switch (fields.action) {
    case Action::delivered:
      return Delivered{*status, *group.attempt()};
    case Action::expanded:
      return Expanded{*status, *fields.last_attempt};
    default:
      return Transferred{*status, *fields.last_attempt, *fields.remote_mta};
  }
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
  // In the order of Outcome's alternatives.
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

Expected<Outcome> make_outcome(const OutcomeFields& fields) {
  const GroupCheck group{fields};
  if (std::optional<Error> fault = group.presence_fault()) {
    return Unexpected(*std::move(fault));
  }
  switch (fields.action) {
    case Action::delayed: {
      const std::optional<TransientStatus> status = TransientStatus::make(fields.status);
      if (!status) {
        return group.refuse(" needs a Status 4.x.y (RFC 3463 2)");
      }
      return Delayed{*status, group.attempt(), fields.will_retry_until};
    }
    case Action::failed: {
      const std::optional<FailureStatus> status = FailureStatus::make(fields.status);
      if (!status) {
        return group.refuse(" needs a Status 5.x.y or 4.x.y (RFC 3463 2)");
      }
      return Failed{*status, group.attempt()};
    }
    case Action::relayed:
      if (fields.status != kRelayedStatus) {
        return group.refuse(" needs Status 2.1.9 (RFC 3886 3.3.4)");
      }
      return Relayed{*group.attempt()};
    case Action::opaque:
      if (fields.status == kRelayedStatus) {
        return group.refuse(" does not allow Status 2.1.9 (RFC 3886 3.3.4)");
      }
      return Opaque{};  // whatever its Status says: clients ignore it
    case Action::delivered:
    case Action::expanded:
    case Action::transferred:
      return make_success(group);
  }
  return fail(ErrorCode::unsupported, "unknown Action");
}

OutcomeFields fields_of(const Outcome& outcome) {
  return {action_of(outcome), status_of(outcome), remote_mta_of(outcome), last_attempt_of(outcome),
          will_retry_until_of(outcome)};
}

}  // namespace mtrk

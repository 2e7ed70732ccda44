#pragma once

#include "common/base/expected.h"
#include "common/base/time.h"
#include "common/track/enhanced_status.h"
#include "common/track/mta_name.h"

#include <optional>
#include <string_view>
#include <variant>

// An Outcome says what became of a recipient. It expresses RFC 3886 §3.3.3 to §3.3.7 in types, so
// that a report which the RFC forbids cannot be built. Each alternative has exactly the fields that
// its Action may have:
//
//   action       status        Remote-MTA   Last-Attempt-Date   Will-Retry-Until
//   delayed      4.x.y         if attempted if attempted        usually
//   delivered    2.x.y ≠ 2.1.9 optional     always              never
//   failed       4.x.y, 5.x.y  if attempted if attempted        never
//   expanded     2.x.y ≠ 2.1.9 never        always              never
//   relayed      2.1.9 fixed   optional     always              never
//   transferred  2.x.y ≠ 2.1.9 always       always              never
//   opaque       (2.0.0)       never        never               never
namespace mtrk {

enum class Action { failed, delayed, delivered, expanded, relayed, transferred, opaque };

[[nodiscard]] std::string_view to_string(Action action);
[[nodiscard]] std::optional<Action> parse_action(std::string_view text);  // in any case

// Each of these classes holds a status of the range that an action allows. make() returns nothing
// for any other status.
class SuccessStatus {  // 2.x.y except 2.1.9
 public:
  [[nodiscard]] static std::optional<SuccessStatus> make(EnhancedStatus status);
  [[nodiscard]] EnhancedStatus value() const { return value_; }
  bool operator==(const SuccessStatus&) const = default;

 private:
  explicit SuccessStatus(EnhancedStatus value) : value_(value) {}
  EnhancedStatus value_;
};
class TransientStatus {  // 4.x.y
 public:
  [[nodiscard]] static std::optional<TransientStatus> make(EnhancedStatus status);
  [[nodiscard]] EnhancedStatus value() const { return value_; }
  bool operator==(const TransientStatus&) const = default;

 private:
  explicit TransientStatus(EnhancedStatus value) : value_(value) {}
  EnhancedStatus value_;
};
class FailureStatus {  // 5.x.y, or 4.x.y on giving up
 public:
  [[nodiscard]] static std::optional<FailureStatus> make(EnhancedStatus status);
  [[nodiscard]] EnhancedStatus value() const { return value_; }
  bool operator==(const FailureStatus&) const = default;

 private:
  explicit FailureStatus(EnhancedStatus value) : value_(value) {}
  EnhancedStatus value_;
};

struct LastAttempt {
  TimePoint at;
  std::optional<MtaName> remote_mta;
  bool operator==(const LastAttempt&) const = default;
};

struct Delayed {
  TransientStatus status;
  std::optional<LastAttempt> last_attempt;
  std::optional<TimePoint> will_retry_until;
  bool operator==(const Delayed&) const = default;
};
struct Delivered {
  SuccessStatus status;
  LastAttempt last_attempt;
  bool operator==(const Delivered&) const = default;
};
struct Failed {
  FailureStatus status;
  std::optional<LastAttempt> last_attempt;
  bool operator==(const Failed&) const = default;
};
struct Expanded {
  SuccessStatus status;
  TimePoint last_attempt;
  bool operator==(const Expanded&) const = default;
};
struct Relayed {
  LastAttempt last_attempt;
  bool operator==(const Relayed&) const = default;
};
struct Transferred {
  SuccessStatus status;
  TimePoint last_attempt;
  MtaName remote_mta;  // the referral
  bool operator==(const Transferred&) const = default;
};
struct Opaque {
  bool operator==(const Opaque&) const = default;
};

using Outcome = std::variant<Delayed, Delivered, Failed, Expanded, Relayed, Transferred, Opaque>;

[[nodiscard]] Action action_of(const Outcome& outcome);
[[nodiscard]] EnhancedStatus status_of(const Outcome& outcome);  // 2.0.0 for opaque
[[nodiscard]] std::optional<TimePoint> last_attempt_of(const Outcome& outcome);
[[nodiscard]] std::optional<MtaName> remote_mta_of(const Outcome& outcome);
// Returns the name without a copy, or null if there is none.
[[nodiscard]] const MtaName* find_remote_mta(const Outcome& outcome);
[[nodiscard]] std::optional<TimePoint> will_retry_until_of(const Outcome& outcome);

// Returns the outcome of a recipient that was accepted and not yet tried: delayed, 4.0.0,
// with Will-Retry-Until only.
[[nodiscard]] Outcome never_tried(std::optional<TimePoint> will_retry_until);

// An OutcomeShape says which fields a recipient group has, without their texts.
struct OutcomeShape {
  Action action = Action::opaque;
  EnhancedStatus status{2, 0, 0};
  bool remote_mta = false;
  bool last_attempt = false;
  bool will_retry_until = false;
};
// Checks a shape against the table above. Returns nothing if it is allowed, and otherwise a
// not_allowed that names the field and the rule. Allocates nothing for an allowed shape.
[[nodiscard]] std::optional<Error> fault_of(const OutcomeShape& shape);

// OutcomeFields holds the fields of an outcome one by one, as an import line, a stored record or a
// report gives them.
struct OutcomeFields {
  Action action = Action::opaque;
  EnhancedStatus status{2, 0, 0};
  std::optional<MtaName> remote_mta;
  std::optional<TimePoint> last_attempt;
  std::optional<TimePoint> will_retry_until;
};
// Fails with the Error that fault_of() returns for the shape of `fields`.
[[nodiscard]] Expected<Outcome> make_outcome(const OutcomeFields& fields);
[[nodiscard]] OutcomeFields fields_of(const Outcome& outcome);

}  // namespace mtrk

#include "common/track/outcome.h"

#include <gtest/gtest.h>

namespace mtrk {
namespace {

using Presence = char;  // 'm' must, 'o' optional, 'a' optional if attempted, 'n' never

struct Rule {
  Action action;
  Presence remote_mta;
  Presence last_attempt;
  Presence will_retry;
  std::string_view classes;
};
// The table in outcome.h, which is MTSN-3.3.5-01 to MTSN-3.3.7-02, DSNF-2.3.9-01, A-28, A-32.
constexpr Rule kRules[] = {
    {Action::delayed, 'a', 'o', 'o', "4"},  {Action::delivered, 'o', 'm', 'n', "2"},
    {Action::failed, 'a', 'o', 'n', "45"},  {Action::expanded, 'n', 'm', 'n', "2"},
    {Action::relayed, 'o', 'm', 'n', "2"},  {Action::transferred, 'm', 'm', 'n', "2"},
    {Action::opaque, 'n', 'n', 'n', "245"},
};

bool allowed(Presence rule, bool present, bool attempted) {
  return rule == 'o' || (rule == 'm' && present) || (rule == 'n' && !present) ||
         (rule == 'a' && (!present || attempted));
}

TEST(OutcomeTest, ForbiddenCombinationsCannotBeBuilt) {  // MTSN-3.3.5-01 to -03, DSNF-2.3.9-01
  // MTSN-3.3.5-01, MTSN-3.3.5-02, MTSN-3.3.5-03, MTSN-3.3.6-02, MTSN-3.3.7-01, MTSN-3.3.4-03,
  // DSNF-2.3.5-01
  const TimePoint at{Seconds(1000)};
  for (const Rule& rule : kRules) {
    for (const EnhancedStatus status : {EnhancedStatus{2, 1, 5}, EnhancedStatus{2, 1, 9},
                                        EnhancedStatus{4, 4, 1}, EnhancedStatus{5, 1, 1}}) {
      for (unsigned mask = 0; mask < 8; ++mask) {
        OutcomeFields fields;
        fields.action = rule.action;
        fields.status = status;
        if ((mask & 1U) != 0) {
          fields.remote_mta = MtaName{"dns", "mx.example.net"};
        }
        if ((mask & 2U) != 0) {
          fields.last_attempt = at;
        }
        if ((mask & 4U) != 0) {
          fields.will_retry_until = at + Seconds(5);
        }
        const bool attempted = fields.last_attempt.has_value();
        const bool class_fits = rule.classes.find(static_cast<char>('0' + status.status_class)) !=
                                std::string_view::npos;
        // MTSN-3.3.4-03, A-15: 2.1.9 and relayed, always together.
        const bool code_fits = (status == kRelayedStatus) == (rule.action == Action::relayed);
        const bool want = class_fits && code_fits &&
                          allowed(rule.remote_mta, fields.remote_mta.has_value(), attempted) &&
                          allowed(rule.last_attempt, attempted, attempted) &&
                          allowed(rule.will_retry, fields.will_retry_until.has_value(), attempted);
        const Expected<Outcome> outcome = make_outcome(fields);
        ASSERT_EQ(outcome.has_value(), want)
            << to_string(rule.action) << " mask " << mask << " class " << +status.status_class;
        if (!outcome) {
          EXPECT_EQ(outcome.error().code, ErrorCode::not_allowed);
          EXPECT_NE(outcome.error().detail.find(to_string(rule.action)), std::string::npos);
          continue;
        }
        EXPECT_EQ(action_of(*outcome), fields.action);
        EXPECT_EQ(remote_mta_of(*outcome), fields.remote_mta);
        EXPECT_EQ(last_attempt_of(*outcome), fields.last_attempt);
        EXPECT_EQ(will_retry_until_of(*outcome), fields.will_retry_until);
        EXPECT_EQ(*make_outcome(fields_of(*outcome)), *outcome);
        if (rule.action != Action::opaque) {
          EXPECT_EQ(status_of(*outcome), status);
        }
      }
    }
  }
}

TEST(OutcomeTest, NeverTriedIsDelayedWithoutAnAttempt) {  // A-31, MTSN-3.3.3-04
  const Outcome outcome = never_tried(TimePoint{Seconds(5)});
  const EnhancedStatus status{4, 0, 0};
  EXPECT_EQ(action_of(outcome), Action::delayed);
  EXPECT_EQ(status_of(outcome), status);
  EXPECT_EQ(last_attempt_of(outcome), std::nullopt);
  EXPECT_EQ(find_remote_mta(outcome), nullptr);
  EXPECT_EQ(will_retry_until_of(outcome), TimePoint{Seconds(5)});
}

TEST(OutcomeTest, OpaqueSays200) {
  const EnhancedStatus status{2, 0, 0};
  EXPECT_EQ(status_of(Opaque{}), status);
}

TEST(ActionTest, NamesReadInAnyCase) {  // MTSN-3.3.3-02, DSNF-2.3.3-01
  for (const std::string_view name :
       {"failed", "delayed", "delivered", "expanded", "relayed", "transferred", "opaque"}) {
    EXPECT_EQ(to_string(*parse_action(name)), name);
  }
  EXPECT_EQ(parse_action("DELIVERED"), Action::delivered);
  for (const std::string_view name : {"", "deliver", "delivered ", "sent"}) {
    EXPECT_EQ(parse_action(name), std::nullopt);
  }
}

}  // namespace
}  // namespace mtrk

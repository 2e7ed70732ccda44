#include "common/track/confidentiality.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk {
namespace {

using Forwarding = Confidentiality::Forwarding;

const TimePoint kAt{Seconds(978380116)};
const MtaName kRemote{"dns", "mx.example3.com"};

TrackedMessage message_with(const Outcome& outcome, bool redirected) {
  TrackedMessage message;
  message.reporting_mta = {"dns", "mx.example2.com"};
  message.arrival = kAt;
  message.recipients.push_back({{"rfc822", "a@b"}, {"rfc822", "a@b"}, outcome, redirected});
  return message;
}

Outcome apply(const Outcome& outcome, bool redirected, Forwarding forwarding, bool hide_hosts) {
  const TrackedMessage message = message_with(outcome, redirected);
  MessageViews views({&message, 1});
  apply_confidentiality(views.messages().front(), {forwarding, hide_hosts});
  return to_tracked_message(views.messages().front()).recipients.at(0).outcome;
}

Outcome make(Action action, EnhancedStatus status, bool attempted = true) {
  OutcomeFields fields{action, status, std::nullopt, std::nullopt, std::nullopt};
  if (attempted) {
    fields.last_attempt = kAt;
    if (action != Action::expanded) {
      fields.remote_mta = kRemote;
    }
  }
  return make_outcome(fields).value();
}

TEST(ConfidentialityTest, LeavesOrdinaryRecipientsAlone) {
  const Outcome relayed = make(Action::relayed, kRelayedStatus);
  for (const Forwarding forwarding : {Forwarding::hide, Forwarding::reveal, Forwarding::final}) {
    EXPECT_EQ(apply(relayed, false, forwarding, true), relayed);
  }
}

TEST(ConfidentialityTest, HideKeepsTheActionAndDropsWhereItWent) {  // MTSN-4.2-01 (a), A-35
  for (const Outcome& outcome :
       {make(Action::relayed, kRelayedStatus), make(Action::delayed, {4, 4, 1}),
        make(Action::failed, {5, 1, 1}), make(Action::delivered, {2, 1, 5})}) {
    const Outcome hidden = apply(outcome, true, Forwarding::hide, false);
    EXPECT_EQ(action_of(hidden), action_of(outcome));
    EXPECT_EQ(status_of(hidden), status_of(outcome));
    EXPECT_EQ(last_attempt_of(hidden), kAt);
    EXPECT_FALSE(remote_mta_of(hidden));
    EXPECT_EQ(apply(outcome, true, Forwarding::reveal, false), outcome);
  }
}

TEST(ConfidentialityTest, HiddenTransferIsRelayed) {
  const Outcome transferred = make(Action::transferred, {2, 4, 0});
  EXPECT_EQ(apply(transferred, true, Forwarding::hide, false),
            Outcome(Relayed{{kAt, std::nullopt}}));
  EXPECT_EQ(apply(transferred, true, Forwarding::reveal, false), transferred);
}

TEST(ConfidentialityTest, FinalDeclaresDeliveredOnceAnAttemptWasMade) {  // MTSN-4.2-01 (b)
  // DSNF-4.2-01
  for (const Outcome& outcome :
       {make(Action::relayed, kRelayedStatus), make(Action::transferred, {2, 4, 0}),
        make(Action::delayed, {4, 4, 1}), make(Action::failed, {5, 1, 1})}) {
    const Outcome final = apply(outcome, true, Forwarding::final, false);
    EXPECT_EQ(action_of(final), Action::delivered);
    EXPECT_EQ(status_of(final), (EnhancedStatus{2, 1, 5}));
    EXPECT_EQ(last_attempt_of(final), kAt);
    EXPECT_FALSE(remote_mta_of(final));
  }
  const Outcome waiting = never_tried(kAt);
  EXPECT_EQ(apply(waiting, true, Forwarding::final, false), waiting);
  const Outcome expanded = make(Action::expanded, {2, 1, 5});
  EXPECT_EQ(apply(expanded, true, Forwarding::final, false), expanded);
}

TEST(ConfidentialityTest, HidesInternalHostsOnly) {  // MTRK-4.2-03
  // DSNF-4.2-01
  OutcomeFields fields{Action::relayed, kRelayedStatus, MtaName{"dns", "[10.1.2.3]"}, kAt, {}};
  const Outcome inside = make_outcome(fields).value();
  EXPECT_FALSE(remote_mta_of(apply(inside, false, Forwarding::reveal, true)));
  EXPECT_TRUE(remote_mta_of(apply(inside, false, Forwarding::reveal, false)));
  fields = {Action::transferred, {2, 4, 0}, MtaName{"dns", "mbox1.example2.com"}, kAt, {}};
  EXPECT_EQ(action_of(apply(make_outcome(fields).value(), false, Forwarding::reveal, true)),
            Action::relayed);
}

TEST(ConfidentialityTest, KnowsInternalHosts) {
  constexpr std::string_view kUs = "mx.example2.com";
  for (const char* name :
       {"mbox", "mbox.local", "a.b.LAN", "x.internal", "10.0.0.1", "[10.0.0.1]", "[172.31.255.255]",
        "[192.168.1.1]", "[127.0.0.1]", "[169.254.0.1]", "[100.64.0.1]", "[IPv6:fd00::1]",
        "[fe80::1]", "::1", "[::ffff:10.0.0.1]", "MBOX.example2.com", "a.b.example2.com"}) {
    EXPECT_TRUE(is_internal_host(name, kUs)) << name;
  }
  for (const char* name : {"mx.example3.com", "example2.com.evil.example", "notexample2.com",
                           "[192.0.2.1]", "[172.32.0.1]", "[100.128.0.1]", "[2001:db8::1]"}) {
    EXPECT_FALSE(is_internal_host(name, kUs)) << name;
  }
  // A two-label name of our own makes nobody else's host ours.
  EXPECT_FALSE(is_internal_host("mx.other.com", "example.com"));
}

}  // namespace
}  // namespace mtrk

#include "mtqpd/mtqp/answer/hops.h"

#include "mtqpd/mtqp/answer/json.h"
#include "mtqpd/mtqp/answer/status_words.h"
#include "mtqpd/mtqp/answer/timeline.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace mtrk::cli {
namespace {

ReportedRecipient recipient(const std::string& user,
                            Action action,
                            const std::string& remote = "",
                            EnhancedStatus status = {2, 0, 0}) {
  ReportedRecipient r;
  r.original = {"rfc822", user + "@a.test"};
  r.final = r.original;
  r.action = action;
  r.status = status;
  if (!remote.empty()) {
    r.remote_mta = MtaName{"dns", remote};
  }
  r.last_attempt = ZonedTime{TimePoint(Seconds(978380116)), Minutes(0)};
  return r;
}

TrackingStatus part(const std::string& mta, std::vector<ReportedRecipient> recipients) {
  TrackingStatus status;
  status.original_envelope_id = "1@a.test";
  status.reporting_mta = {"dns", mta};
  status.arrival = ZonedTime{TimePoint(Seconds(978380115)), Minutes(0)};
  status.recipients = std::move(recipients);
  return status;
}

// Answers by host name; who is not in the table has no information.
class Net {
 public:
  void answer(const std::string& host,
              std::vector<TrackingStatus> parts,
              const std::string& address = "") {
    answers_[host] = HopAnswer{false, "", std::move(parts), address};
  }
  void fail(const std::string& host, Trouble trouble) {
    answers_[host] = HopFailure{trouble, "trouble"};
  }
  Travel run(FollowPolicy policy = {}) {
    return travel({"mx1", std::nullopt}, policy, [&](const Server& server) -> HopResult {
      asked.push_back(server.host);
      const auto found = answers_.find(server.host);
      return found == answers_.end() ? HopFailure{Trouble::no_information, "none"} : found->second;
    });
  }
  std::vector<std::string> asked;

 private:
  std::map<std::string, HopResult> answers_;
};

using Names = std::vector<std::string>;

TEST(TravelTest, ExitCodeTellsHowItStands) {
  const struct {
    const char* name;
    std::vector<Action> actions;
    int want;
  } cases[] = {
      {"delivered", {Action::delivered}, 0},
      {"relayed", {Action::relayed}, 0},
      {"expanded", {Action::expanded}, 0},
      {"transferred to nobody who knows", {Action::transferred}, 0},
      {"delayed", {Action::delivered, Action::delayed}, 1},
      {"failed", {Action::delayed, Action::failed, Action::delivered}, 2},
      {"opaque", {Action::opaque}, 3},
      {"partly opaque", {Action::opaque, Action::delivered}, 0},
  };
  for (const auto& c : cases) {
    Net net;
    std::vector<ReportedRecipient> recipients;
    for (const Action action : c.actions) {
      recipients.push_back(recipient("u" + std::to_string(recipients.size()), action, "mx2"));
    }
    net.answer("mx1", {part("mx1", recipients)});
    EXPECT_EQ(exit_code_of(net.run()), c.want) << c.name;
  }
}

TEST(TravelTest, ExitCodeOfAFailedFirstHopIsItsTrouble) {
  for (const Trouble trouble :
       {Trouble::no_information, Trouble::network, Trouble::tls, Trouble::protocol}) {
    Net net;
    net.fail("mx1", trouble);
    EXPECT_EQ(exit_code_of(net.run()), static_cast<int>(trouble));
  }
}

TEST(TravelTest,
     FollowsTransferredOnly) {  // MTSN-3.3.3-06, MTSN-3.3.3-08, MTSN-3.3.3-10, MTSN-3.3.3-12
  Net net;
  net.answer("mx1",
             {part("mx1", {recipient("a", Action::delivered, "mx2"),
                           recipient("b", Action::relayed, "mx3"), recipient("c", Action::expanded),
                           recipient("d", Action::transferred, "mx4"),
                           recipient("e", Action::transferred, "mx4")})});
  net.answer("mx4",
             {part("mx4", {recipient("d", Action::delivered), recipient("e", Action::failed)})});
  const Travel travelled = net.run();
  EXPECT_EQ(net.asked, (Names{"mx1", "mx4"}));
  EXPECT_EQ(exit_code_of(travelled), 2);  // what mx4 says of e counts
}

// RFC 3887, example 10: a firewall says relayed, and has the inner server's part as well.
TEST(TravelTest, RelayedToAPartOfTheSameAnswerIsOneJourney) {
  Net net;
  net.answer("mx1", {part("mx1", {recipient("a", Action::relayed, "mx2"),
                                  recipient("b", Action::relayed, "mx2")}),
                     part("MX2", {recipient("a", Action::failed)})});
  const Travel travelled = net.run();
  EXPECT_EQ(net.asked, (Names{"mx1"}));
  EXPECT_EQ(exit_code_of(travelled), 2);
  const std::vector<Journey> journeys = journeys_of(travelled);
  ASSERT_EQ(journeys.size(), 2U);
  EXPECT_EQ(journeys[0].size(), 2U);  // a
  EXPECT_EQ(journeys[1].size(), 1U);  // b: another recipient
}

TEST(TravelTest, DoesNotFollowIntoPartsThatAreHere) {  // a chained answer
  Net net;
  net.answer("mx1", {part("mx1", {recipient("a", Action::transferred, "MX2")}),
                     part("mx2", {recipient("a", Action::delayed)})});
  const Travel travelled = net.run();
  EXPECT_EQ(net.asked, (Names{"mx1"}));
  EXPECT_EQ(exit_code_of(travelled), 1);
  ASSERT_EQ(journeys_of(travelled).size(), 1U);
  EXPECT_EQ(journeys_of(travelled)[0].size(), 2U);
}

TEST(TravelTest, FollowsNothingWhenToldSo) {
  Net net;
  net.answer("mx1", {part("mx1", {recipient("a", Action::transferred, "mx2")})});
  FollowPolicy policy;
  policy.follow = false;
  EXPECT_EQ(exit_code_of(net.run(policy)), 0);
  EXPECT_EQ(net.asked, (Names{"mx1"}));
}

TEST(TravelTest, LaterFailuresLeaveWhatIsKnown) {
  Net net;
  net.answer("mx1", {part("mx1", {recipient("a", Action::transferred, "mx2")})});
  net.fail("mx2", Trouble::network);
  EXPECT_EQ(exit_code_of(net.run()), 0);
}

TEST(TravelTest, CircleIsALoop) {  // A-30
  Net net;
  net.answer("mx1", {part("inside1", {recipient("a", Action::transferred, "mx2")})});
  net.answer("mx2", {part("inside2", {recipient("a", Action::transferred, "MX1")})});
  const Travel travelled = net.run();
  EXPECT_EQ(net.asked, (Names{"mx1", "mx2"}));
  EXPECT_TRUE(travelled.loop);
  EXPECT_EQ(exit_code_of(travelled), 7);
  EXPECT_FALSE(journeys_of(travelled).empty());
}

TEST(TravelTest, ChainedCircleIsALoop) {  // A-30
  Net net;
  net.answer("mx1", {part("mx1", {recipient("a", Action::transferred, "mx2")}),
                     part("mx2", {recipient("a", Action::transferred, "mx1")})});
  const Travel travelled = net.run();
  EXPECT_EQ(net.asked, (Names{"mx1"}));
  EXPECT_EQ(exit_code_of(travelled), 7);
  ASSERT_EQ(journeys_of(travelled).size(), 1U);
  EXPECT_EQ(journeys_of(travelled).front().size(), 2U);
}

TEST(TravelTest, TwoWaysToOneServerAreNoLoop) {
  Net net;
  net.answer("mx1", {part("mx1", {recipient("a", Action::transferred, "mx2"),
                                  recipient("b", Action::transferred, "mx3")})});
  net.answer("mx2", {part("mx2", {recipient("a", Action::transferred, "mx3")})});
  net.answer("mx3",
             {part("mx3", {recipient("a", Action::delivered), recipient("b", Action::delivered)})});
  const Travel travelled = net.run();
  EXPECT_EQ(net.asked, (Names{"mx1", "mx2", "mx3"}));
  EXPECT_FALSE(travelled.loop);
  EXPECT_EQ(exit_code_of(travelled), 0);
}

TEST(TravelTest, EndlessReferralsEndAtTheLimit) {  // A-30
  int n = 0;
  const Travel travelled = travel({"mx", std::nullopt}, {}, [&](const Server&) -> HopResult {
    const std::string next = "mx" + std::to_string(++n);
    return HopAnswer{false, "", {part("x" + next, {recipient("a", Action::transferred, next)})}};
  });
  EXPECT_EQ(n, 20);
  EXPECT_TRUE(travelled.hop_limit);
  EXPECT_EQ(exit_code_of(travelled), 7);
}

TEST(TravelTest, AnswerThatPointsAtItselfIsNotFollowed) {  // A-17: RFC 3887 §4.1, example 12
  Net net;
  net.answer("mx1", {part("example3.com", {recipient("a", Action::transferred, "example3.com")})});
  EXPECT_EQ(exit_code_of(net.run()), 0);
  EXPECT_EQ(net.asked, (Names{"mx1"}));
}

TEST(ReferralTest, NamesHostsOnly) {
  const auto referral = [](const std::string& type, const std::string& name) {
    ReportedRecipient r = recipient("a", Action::transferred);
    r.remote_mta = MtaName{type, name};
    return referral_of(r).value_or("-");
  };
  EXPECT_EQ(referral("dns", "mx2.a.test"), "mx2.a.test");
  EXPECT_EQ(referral("DNS", "[192.0.2.1]"), "192.0.2.1");
  EXPECT_EQ(referral("dns", "[IPv6:2001:db8::1]"), "2001:db8::1");
  for (const char* name : {"", "a b", "mx2:25", "mx2\r\nQUIT", "[x]", "-\x80", "[192.0.2.1"}) {
    EXPECT_EQ(referral("dns", name), "-") << name;
  }
  EXPECT_EQ(referral("x-local-hostname", "mx2"), "-");
}

TEST(JourneyTest, HostileAnswersStayCheap) {
  std::vector<TrackingStatus> parts;
  for (int p = 0; p < 32; ++p) {
    std::vector<ReportedRecipient> recipients;
    for (int r = 0; r < 300; ++r) {
      recipients.push_back(recipient("u", Action::transferred, "p" + std::to_string((p + r) % 32)));
      recipients.back().final.value = std::to_string(r) + "@a.test";
    }
    parts.push_back(part("p" + std::to_string(p), std::move(recipients)));
  }
  Net net;
  net.answer("mx1", std::move(parts));
  EXPECT_LE(journeys_of(net.run()).size(), 32U * 300U);
}

TEST(TimelineTest, ShowsEveryStage) {  // MTSN-4.1-01
  Net net;
  ReportedRecipient waiting = recipient("w", Action::delayed, "mx9", {4, 4, 1});
  waiting.will_retry_until = ZonedTime{TimePoint(Seconds(978639315)), Minutes(0)};
  net.answer("mx1", {part("mx1", {recipient("a", Action::transferred, "mx2"), waiting,
                                  recipient("f", Action::failed, "mx3", {5, 1, 1})})});
  net.answer("mx2", {part("mx2", {recipient("a", Action::delivered, "", {2, 1, 5})})},
             "192.0.2.2:2038");  // not the usual port: by SRV
  TimelineStyle style;
  style.time = [](TimePoint at) { return format_rfc3339(at); };
  EXPECT_EQ(format_timeline(net.run(), style),
            "a@a.test\n"
            "  2001-01-01T20:15:15Z    accepted by mx1\n"
            "  2001-01-01T20:15:16Z  > passed on to mx2\n"
            "  2001-01-01T20:15:15Z    accepted by mx2\n"
            "  2001-01-01T20:15:16Z  + delivered (2.1.5, the address is valid)\n"
            "\n"
            "w@a.test\n"
            "  2001-01-01T20:15:15Z    accepted by mx1\n"
            "  2001-01-01T20:15:16Z  ~ delayed (4.4.1, no answer from the host) at mx9, will be "
            "tried until 2001-01-04T20:15:15Z\n"
            "\n"
            "f@a.test\n"
            "  2001-01-01T20:15:15Z    accepted by mx1\n"
            "  2001-01-01T20:15:16Z  x failed (5.1.1, no such mailbox) at mx3\n"
            "\n"
            "asked mx1 (in clear)\n"
            "asked mx2 at 192.0.2.2:2038 (in clear)\n");
}

TEST(TimelineTest, ControlCharactersNeverReachTheTerminal) {  // THR-P9
  Net net;
  ReportedRecipient evil = recipient("\x1b]0;x\x07", Action::failed,
                                     "mx\x9b"
                                     "2J");
  evil.status.reset();
  net.answer("mx1", {part("\x1b[2J", {evil})});
  for (const bool color : {false, true}) {
    TimelineStyle style;
    style.time = [](TimePoint) { return std::string("t"); };
    style.unicode = true;
    std::string text = format_timeline(net.run(), style);
    EXPECT_EQ(text.find_first_of("\x1b\x07\x9b"), std::string::npos) << color;
  }
}

TEST(HopJsonTest, HasTheDocumentedSchema) {
  Net net;
  ReportedRecipient waiting = recipient("w", Action::delayed, "mx9", {4, 4, 1});
  waiting.will_retry_until = ZonedTime{TimePoint(Seconds(978639315)), Minutes(-300)};
  net.answer("mx1", {part("mx1", {waiting})});
  const Travel travelled = net.run();
  EXPECT_EQ(format_hop(1, travelled.hops[0]),
            R"({"v":1,"hop":1,"server":"mx1:1038","tls":false,"parts":[{"envelope_id":"1@a.test",)"
            R"("reporting_mta":"dns;mx1","arrival":"2001-01-01T20:15:15Z","recipients":[{)"
            R"("original":"rfc822;w@a.test","final":"rfc822;w@a.test","action":"delayed",)"
            R"("status":"4.4.1","remote_mta":"dns;mx9","last_attempt":"2001-01-01T20:15:16Z",)"
            R"("will_retry_until":"2001-01-04T20:15:15Z"}]}]})"
            "\n");
  EXPECT_EQ(format_hop(2, {{"mx2", 25}, 0, HopFailure{Trouble::tls, "a\x1b"}}),
            R"({"v":1,"hop":2,"server":"mx2:25","error":"tls","detail":"a\\x1b"})"
            "\n");
}

TEST(StatusWordsTest, FallBackToSubjectAndClass) {  // ESC-2-01
  EXPECT_EQ(words_for({5, 1, 1}), "no such mailbox");
  EXPECT_EQ(words_for({2, 1, 9}), "handed to a system that does not track");  // MTSN-3.3.4-02
  EXPECT_EQ(words_for({5, 1, 99}), "a matter of the address");
  EXPECT_EQ(words_for({4, 99, 1}), "a passing problem");
  EXPECT_EQ(words_for({2, 9, 9}), "success");
  EXPECT_EQ(words_for({5, 0, 0}), "a lasting problem");
}

}  // namespace
}  // namespace mtrk::cli

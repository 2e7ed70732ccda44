#include "tests/unit/store/store_fixture.h"

#include <gmock/gmock.h>

// What the store makes of lines that are not, or not only, about a captured message.
namespace mtrk::store {
namespace {

using maillog::DeliveryEvent;
using testing::ElementsAre;

constexpr std::string_view kId = "A1B2C3D4E5";
constexpr std::string_view kOther = "B1B2C3D4E5";

class LogEvidenceTest : public StoreTest {
 protected:
  void open_on(const std::string& host) {
    writer_.reset();
    WriterOptions made = options();
    made.host = host;
    writer_.emplace(made, Create::if_missing);
  }
};

DeliveryEvent on(std::string_view host, std::string_view program, DeliveryEvent event) {
  event.host = host;
  event.program = program;
  return event;
}

TEST_F(LogEvidenceTest, LinesOfAnotherHostOfTheLogAreLeftOut) {
  open_on("mxa.example.net");
  put(capture(kId, "id@example.net", {"a@b.test"}));
  apply({on("mxa", "postfix/qmgr", queued(kOther)), on("mxb", "postfix/qmgr", queued(kId)),
         on("mxb", "postfix/smtp", attempt(kId, "a@b.test", "sent")),
         on("mxb", "postfix/qmgr", removed(kId))});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delayed));
  EXPECT_TRUE(find("id@example.net")[0].queued);
  apply({on("mxa", "postfix/smtp", attempt(kId, "a@b.test", "bounced"))});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::failed));
}

TEST_F(LogEvidenceTest, ARenamedHostIsStillTheOwnOne) {
  open_on("old");
  put(capture(kId, "id@example.net", {"a@b.test"}));
  apply({on("old", "postfix/qmgr", queued(kId))});
  open_on("new");
  apply({on("new.example.net", "postfix/smtp", attempt(kId, "a@b.test", "bounced"))});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::failed));
}

TEST_F(LogEvidenceTest, ALogThatCallsThisHostOtherwiseIsItsOwn) {
  open_on("4f1c0ffee");
  put(capture(kId, "id@example.net", {"a@b.test"}));
  apply({on("mail", "postfix/qmgr", queued(kId))});
  open_on("4f1c0ffee");  // whose id it is was kept
  apply({on("mxb", "postfix/smtp", attempt(kId, "a@b.test", "sent"))});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delayed));
  apply({on("mail", "postfix/smtp", attempt(kId, "a@b.test", "bounced"))});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::failed));
}

TEST_F(LogEvidenceTest, AnotherInstanceIsAnotherQueue) {
  put(capture(kId, "id@example.net", {"a@b.test"}));
  apply({on("mx", "postfix/qmgr", queued(kId)), on("mx", "postfix-out/qmgr", queued(kOther)),
         on("mx", "postfix-out/smtp", attempt(kId, "a@b.test", "sent"))});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delayed));
  apply({on("mx", "relay/smtp", attempt(kId, "a@b.test", "bounced"))});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::failed));
}

// "delivered" by pipe(8) until sendmail(1) brings it back: then it is under way again.
TEST_F(LogEvidenceTest, WhatAPipeHandsBackIsNotDelivered) {
  put(capture(kId, "id@example.net", {"a@b.test"}));
  DeliveryEvent piped = attempt(kId, "a@b.test", "sent");
  std::get<maillog::Attempt>(piped.what).agent = "pipe";
  std::get<maillog::Attempt>(piped.what).relay = "filter";
  std::get<maillog::Attempt>(piped.what).text = "delivered via filter service";
  const maillog::MessageId same{"<m@example.net>"};
  apply({event(kId, same), queued(kId), piped});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delivered));
  apply({event(kOther, maillog::Pickup{}, Seconds(6)), event(kOther, same, Seconds(6))});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delayed));
  apply({removed(kId), attempt(kOther, "a@b.test", "bounced", Seconds(7))});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::failed));
  reopen();
  apply({removed(kOther)});
  EXPECT_FALSE(find("id@example.net")[0].queued);
}

TEST_F(LogEvidenceTest, MailOnHoldHasNoTimeUntilWhichItIsTried) {
  put(capture(kId, "id@example.net", {"a@b.test"}));
  apply({queued(kId), event(kId, maillog::Held{})});
  reopen();
  EXPECT_EQ(find("id@example.net")[0].recipients[0].outcome, never_tried(std::nullopt));
  apply({event(kId, maillog::Released{})});
  EXPECT_EQ(find("id@example.net")[0].recipients[0].outcome, never_tried(kNow + 5 * kDay));
}

}  // namespace
}  // namespace mtrk::store

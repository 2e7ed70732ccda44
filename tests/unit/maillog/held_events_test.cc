#include "common/maillog/held_events.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk::maillog {
namespace {

using Keep = HeldEvents::Keep;

LogTime second(int n) {
  return LogTime(Seconds(1'700'000'000 + n));
}
DeliveryEvent client(std::string_view id, std::string_view from, std::string_view origin = {}) {
  return {second(0), id, Client{from, origin}};
}
DeliveryEvent message_id(std::string_view id, std::string_view text = "<1@a>") {
  return {second(0), id, MessageId{text}};
}
DeliveryEvent removed(std::string_view id, int at = 0) {
  return {second(at), id, Removed{"qmgr"}};
}

TEST(HeldEventsTest, KeepsWhatWasBornHere) {
  HeldEvents held({}, {});
  held.note(message_id("INSIDE1"), Keep::event);  // no client= before it
  held.note(client("LOOPBACK1", "localhost[127.0.0.1]"), Keep::event);
  held.note(client("LOOPBACK6", "localhost[::1]"), Keep::event);
  held.note(client("XFORWARD1", "x[192.0.2.1]", "PARENT1"), Keep::event);
  held.note({second(0), "PICKUP1", Pickup{}}, Keep::event);
  EXPECT_EQ(held.events(), 5u);
  held.note(removed("INSIDE1"), Keep::event);
  EXPECT_EQ(held.take("INSIDE1").events.size(), 2u);
  EXPECT_EQ(held.events(), 4u);
  EXPECT_TRUE(held.take("INSIDE1").events.empty());
}

TEST(HeldEventsTest, KeepsNothingOfUntrackedMailFromElsewhere) {
  HeldEvents held({}, {});
  held.note(client("REMOTE1", "mx.example[192.0.2.1]"), Keep::event);
  held.note(message_id("REMOTE1"), Keep::event);
  held.note(removed("REMOTE1"), Keep::event);
  held.note(removed("UNKNOWN1"), Keep::event);
  EXPECT_EQ(held.events(), 0u);
  EXPECT_EQ(held.dropped(), 0u);
}

TEST(HeldEventsTest, KeepsWhatAConfiguredFilterSendsBack) {
  const std::vector<std::string> filters = {"192.0.2.7:10025"};
  HeldEvents held(filters, {});
  held.note(client("FILTERED1", "scan[192.0.2.7]"), Keep::event);
  held.note(client("REMOTE1", "mx[192.0.2.8]"), Keep::event);
  EXPECT_EQ(held.events(), 1u);
}

TEST(HeldEventsTest, ProvesOnlyWhatWasReceivedWithTheSameMessageId) {
  HeldEvents held({}, {});
  held.note(client("LOOPBACK1", "localhost[127.0.0.1]"), Keep::identity);
  held.note(message_id("LOOPBACK1", "<1@a>"), Keep::identity);
  held.note(message_id("INSIDE1", "<1@a>"), Keep::event);
  ASSERT_TRUE(held.received_here("LOOPBACK1", {}));
  EXPECT_EQ(held.received_here("LOOPBACK1", {})->message_id, message_id_hash("<1@a>"));
  EXPECT_FALSE(held.received_here("INSIDE1", {})) << "a DSN or a copy, not a message handed in";
  EXPECT_EQ(held.events(), 1u) << "an identity is not an event";
}

TEST(HeldEventsTest, AnEmptyMessageIdProvesNothing) {
  EXPECT_EQ(message_id_hash(""), 0u);
  EXPECT_EQ(message_id_hash("<>"), 0u);
}

TEST(HeldEventsTest, NamesTheChildrenOfAnId) {
  HeldEvents held({}, {});
  held.note(client("CHILD001", "x[127.0.0.1]", "PARENT1"), Keep::event);
  held.note({second(0), "CHILD002", Pickup{"PARENT1"}}, Keep::event);
  EXPECT_EQ(held.children_of("PARENT1").size(), 2u);
  EXPECT_TRUE(held.children_of("CHILD001").empty());
}

TEST(HeldEventsTest, ForgetsAfterTheTimeOfTheLog) {
  HeldEvents held({}, {.age = Seconds(120)});
  held.note(message_id("OLD00001"), Keep::event);
  held.note({second(100), "YOUNG001", MessageId{"<2@a>"}}, Keep::event);
  held.note(removed("UNKNOWN1", 121), Keep::event);
  EXPECT_TRUE(held.take("OLD00001").events.empty());
  EXPECT_EQ(held.dropped(), 1u);
  EXPECT_EQ(held.take("YOUNG001").events.size(), 1u);
}

TEST(HeldEventsTest, AClockThatIsSetBackForgetsNothing) {
  HeldEvents held({}, {.age = Seconds(120)});
  held.note(message_id("FIRST001"), Keep::event);
  held.note(removed("UNKNOWN1", -86400), Keep::event);
  EXPECT_EQ(held.take("FIRST001").events.size(), 1u);
}

TEST(HeldEventsTest, StaysWithinItsBounds) {
  HeldEvents held({}, {.events = 100, .octets = std::size_t{1} << 20});
  for (int i = 0; i < 1000; ++i) {
    held.note(message_id("INSIDE" + std::to_string(i)), Keep::event);
  }
  EXPECT_LE(held.events(), 101u);
  EXPECT_GE(held.dropped(), 899u);
  EXPECT_EQ(held.take("INSIDE999").events.size(), 1u) << "the latest stay";

  HeldEvents small({}, {.octets = 10000});
  const std::string text(1000, 'x');
  for (int i = 0; i < 100; ++i) {
    small.note(message_id("INSIDE" + std::to_string(i), text), Keep::event);
  }
  EXPECT_LE(small.events(), 10u);
}

TEST(HeldEventsTest, KeepsTheSameIdOfTwoQueuesApart) {
  HeldEvents held({}, {});
  const QueueSpace in{1, 0, 1};
  const QueueSpace out{1, 0, 2};
  const QueueSpace other{2, 0, 1};
  held.note(client("SAME0001", "x[127.0.0.1]", "PARENT1"), Keep::event, {}, in);
  held.note(client("SAME0001", "x[127.0.0.1]"), Keep::event, {}, out);
  held.note(client("SAME0001", "x[127.0.0.1]", "PARENT1"), Keep::event, {}, other);
  held.note(message_id("SAME0001", "<2@a>"), Keep::event, {}, out);
  held.note(removed("SAME0001"), Keep::event, {}, other);
  EXPECT_EQ(held.children_of("PARENT1", in).size(), 1u);
  EXPECT_EQ(held.take("SAME0001", out).events.size(), 2u);
  EXPECT_EQ(held.received_here("SAME0001", out)->message_id, message_id_hash("<2@a>"));
  EXPECT_EQ(held.take("SAME0001", other).events.size(), 2u);
  EXPECT_EQ(held.take("SAME0001", in).events.size(), 1u);
  EXPECT_FALSE(held.received_here("SAME0001", {3, 0, 0}));
}

TEST(HeldEventsTest, AnIdGivenOutAgainIsAnotherCandidate) {
  HeldEvents held({}, {});
  held.note(client("SHORT001", "x[127.0.0.1]", "PARENT1"), Keep::event);
  held.note(message_id("SHORT001", "<1@a>"), Keep::event);
  held.note(removed("SHORT001"), Keep::event);
  held.note(client("SHORT001", "x[127.0.0.1]"), Keep::event);
  held.note(message_id("SHORT001", "<2@a>"), Keep::event);
  EXPECT_EQ(held.received_here("SHORT001", {})->message_id, message_id_hash("<2@a>"));
  EXPECT_TRUE(held.children_of("PARENT1").empty());
  EXPECT_EQ(held.take("SHORT001").events.size(), 2u);
}

TEST(OwnedEventTest, OutlivesItsLine) {
  std::string line = "4jWzny4Kjxz1V: everything";
  Attempt attempt{};
  attempt.recipient = std::string_view(line).substr(0, 5);
  attempt.text = std::string_view(line).substr(15);
  OwnedEvent owned({second(0), std::string_view(line).substr(0, 13), attempt}, line);
  const OwnedEvent moved = std::move(owned);
  line.assign(line.size(), '#');
  EXPECT_EQ(moved.event().queue_id, "4jWzny4Kjxz1V");
  EXPECT_EQ(std::get<Attempt>(moved.event().what).recipient, "4jWzn");
  EXPECT_EQ(std::get<Attempt>(moved.event().what).text, "everything");
  EXPECT_EQ(moved.line(), "4jWzny4Kjxz1V: everything");
}

}  // namespace
}  // namespace mtrk::maillog

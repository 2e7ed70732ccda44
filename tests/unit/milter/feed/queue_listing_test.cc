#include "milter/feed/queue_listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mtrk {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Listed {
  std::vector<std::string> ids;
  bool whole = false;
};

Listed read(Mta mta, std::string_view text, std::size_t step) {
  const auto listing = make_queue_listing(mta);
  for (std::size_t i = 0; i < text.size(); i += step) {
    listing->feed(text.substr(i, step));
  }
  Listed listed;
  listed.whole = listing->finish();
  for (const auto& message : listing->messages()) {
    listed.ids.push_back(message.queue_id);
  }
  return listed;
}

// In pieces of every size: the answer must not depend on them.
Listed read(Mta mta, std::string_view text) {
  Listed whole = read(mta, text, text.size() + 1);
  for (std::size_t step = 1; step < text.size(); ++step) {
    const Listed pieces = read(mta, text, step);
    EXPECT_EQ(pieces.ids, whole.ids) << step;
    EXPECT_EQ(pieces.whole, whole.whole) << step;
  }
  return whole;
}

constexpr std::string_view kPostqueue =
    R"json({"queue_name": "deferred", "queue_id": "8619D1FB", "arrival_time": 1795282478, )json"
    R"json("message_size": 375, "forced_expire": false, "sender": "alice@sender.example.org", )json"
    R"json("recipients": [{"address": "l-soft@partner.example.net", "delay_reason": "host )json"
    R"json(mx1[192.0.2.25] said: 451 4.2.1 later (in reply to RCPT TO command)"}]})json"
    "\n"
    R"json({"queue_name": "hold", "queue_id": "4jWzp36mjDz5D", "arrival_time": 1795282427, )json"
    R"json("message_size": 366, "forced_expire": false, "sender": "alice@sender.example.org", )json"
    R"json("recipients": [{"address": "\"z status=bounced \\\"q\\\" (no)\"@partner.test"}]})json"
    "\n";

TEST(QueueListingTest, ReadsPostqueue) {
  const Listed listed = read(Mta::postfix, kPostqueue);
  EXPECT_THAT(listed.ids, ElementsAre("8619D1FB", "4jWzp36mjDz5D"));
  EXPECT_TRUE(listed.whole);
  const auto listing = make_queue_listing(Mta::postfix);
  listing->feed(kPostqueue);
  EXPECT_EQ(listing->messages()[0].arrival, TimePoint(Seconds(1795282478)));
}

TEST(QueueListingTest, AnEmptyQueueIsAWholeList) {
  EXPECT_TRUE(read(Mta::postfix, "").whole);
  EXPECT_TRUE(read(Mta::sendmail, "/var/spool/mqueue is empty\n\t\tTotal requests: 0\n").whole);
}

TEST(QueueListingTest, KnowsWhenPostqueueWasCutShort) {
  for (const std::size_t length : {kPostqueue.size() / 2, kPostqueue.size() - 3}) {
    EXPECT_FALSE(read(Mta::postfix, kPostqueue.substr(0, length)).whole) << length;
  }
  EXPECT_FALSE(read(Mta::postfix, "{}\n").whole) << "no queue id";
  EXPECT_FALSE(read(Mta::postfix, "postqueue: warning: x\n").whole);
}

TEST(QueueListingTest, GoesOnAfterALineThatIsNone) {
  const Listed listed =
      read(Mta::postfix, "{\"queue_id\": nonsense}\n" + std::string(kPostqueue) + "[[[[[[[[[[[[\n");
  EXPECT_THAT(listed.ids, ElementsAre("8619D1FB", "4jWzp36mjDz5D"));
  EXPECT_FALSE(listed.whole);
}

TEST(QueueListingTest, OnlyTheOutermostQueueIdCounts) {
  const Listed listed = read(
      Mta::postfix,
      R"json({"sender": "x\", \"queue_id\": \"FAKE0001", "recipients": [{"queue_id": "FAKE0002"}], "queue_id": "8619D1FB"})json");
  EXPECT_THAT(listed.ids, ElementsAre("8619D1FB"));
  EXPECT_TRUE(listed.whole);
}

TEST(QueueListingTest, ToleratesAddressesThatAreNotUtf8) {
  const Listed listed =
      read(Mta::postfix,
           "{\"queue_id\": \"8619D1FB\", \"sender\": \"\xff\xfe@x\", \"recipients\": []}\n");
  EXPECT_THAT(listed.ids, ElementsAre("8619D1FB"));
  EXPECT_TRUE(listed.whole);
}

constexpr std::string_view kMailq =
    "\t\t/var/spool/mqueue (3 requests)\n"
    "-----Q-ID----- --Size-- -----Q-Time----- ------------Sender/Recipient-----------\n"
    "6ALHZa1t012345*      12 Sat Nov 21 17:35 <alice@sender.example.org>\n"
    "                 (Deferred: Connection refused by mail.dead.example.org.)\n"
    "\t\t\t\t\t <y@dead.example.org>\n"
    "6ALHZa1t012346      366 Sat Nov 21 17:36 <6ALHZa1t999999@x>\n"
    "      8BITMIME   (host map: lookup (nodsn.test): deferred)\n"
    "\t\t\t\t\t 6ALHZa1t999998* <x>\n"
    "6ALHZa1t012347- (no control file)\n"
    "\t\tTotal requests: 3\n";

TEST(QueueListingTest, ReadsMailq) {
  const Listed listed = read(Mta::sendmail, kMailq);
  EXPECT_THAT(listed.ids, ElementsAre("6ALHZa1t012345", "6ALHZa1t012346", "6ALHZa1t012347"));
  EXPECT_TRUE(listed.whole);
}

TEST(QueueListingTest, KnowsWhenMailqWasCutShort) {
  EXPECT_FALSE(read(Mta::sendmail, kMailq.substr(0, kMailq.size() - 30)).whole);
  EXPECT_FALSE(read(Mta::sendmail, kMailq.substr(0, kMailq.size() - 1)).whole);
  EXPECT_FALSE(read(Mta::sendmail, "").whole);
  EXPECT_FALSE(read(Mta::sendmail, "\t\tTotal requests: 2\n").whole);
  EXPECT_FALSE(read(Mta::sendmail, "You are not permitted to see the queue\n").whole);
}

TEST(QueueListingTest, OnlyTheLastLineTellsTheTotal) {
  const Listed listed =
      read(Mta::sendmail,
           "6ALHZa1t012345       12 Sat Nov 21 17:35 <a@x>\n\t\t\t\t\t Total requests: 9\n"
           "\t\tTotal requests: 1\n");
  EXPECT_TRUE(listed.whole);
}

TEST(QueueListingTest, LongLinesCostNoMemory) {
  const auto listing = make_queue_listing(Mta::sendmail);
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 64; ++i) {
    listing->feed(piece);
  }
  listing->feed("\n\t\tTotal requests: 0\n");
  EXPECT_TRUE(listing->finish());
  EXPECT_THAT(listing->messages(), IsEmpty());
}

}  // namespace
}  // namespace mtrk

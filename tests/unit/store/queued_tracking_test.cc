#include "common/store/queued_tracking.h"

#include "common/store/store_error.h"
#include "tests/unit/store/store_fixture.h"

namespace mtrk::store {
namespace {

class QueuedTrackingTest : public testing::Test {
 protected:
  QueuedTrackingTest() : writer_({folder_.path(), 16 * kMiB, kDay, kDay, {}}, Create::if_missing) {}

  template <typename Change>
  void change(Change change) {
    writer_.begin();
    change();
    writer_.commit();
  }

  TempFolder folder_;
  TrackingWriter writer_;
};

TEST_F(QueuedTrackingTest, IsFoundByItsQueueIdWhileQueued) {
  Capture made = capture("4jWzjj46J4z1V", "env@h.example", {"a@x.example", "b@x.example"});
  made.timeout = Seconds(1000);
  change([&] { static_cast<void>(writer_.put_capture(made)); });
  QueuedTrackingReader reader(folder_.path());
  const auto found = reader.find("4jWzjj46J4z1V");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->envelope_id.decoded(), "env@h.example");
  EXPECT_EQ(found->certifier, certifier());
  EXPECT_EQ(found->timeout, Seconds(1000));
  EXPECT_EQ(found->arrival, kNow);
  EXPECT_EQ(found->trace.recipients().size(), 2U);
  EXPECT_FALSE(reader.find("4jWzjj46J4z1W"));
  EXPECT_FALSE(reader.find("4jWzjj46J4z1"));
  EXPECT_FALSE(reader.find(""));
  EXPECT_FALSE(reader.find("../../etc"));
}

TEST_F(QueuedTrackingTest, OfAReusedQueueIdTheNewest) {
  change([&] { static_cast<void>(writer_.put_capture(capture("8027AA8C975", "one@h.example"))); });
  change([&] {
    static_cast<void>(writer_.put_capture(
        capture("8027AA8C975", "two@h.example", {"u@x.example"}, Stage::final, 2)));
  });
  QueuedTrackingReader reader(folder_.path());
  const auto found = reader.find("8027AA8C975");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->envelope_id.decoded(), "two@h.example");
}

// A client may send a message in several transactions, each with the same envelope id and
// certifier.
TEST_F(QueuedTrackingTest, ByEnvelopeIdAndCertifierAllQueuedTransactionsTheNewestFirst) {
  const Capture one = capture("4jWzjj46J4z1V", "env@h.example", {"a@x.example"});
  const Capture two = capture("4jWzjj46J4z1W", "env@h.example", {"b@x.example"}, Stage::final, 2);
  change([&] { static_cast<void>(writer_.put_capture(one)); });
  change([&] { static_cast<void>(writer_.put_capture(two)); });
  change([&] {
    static_cast<void>(writer_.put_capture(
        capture("4jWzjj46J4z1X", "other@h.example", {"a@x.example"}, Stage::final, 3)));
  });
  QueuedTrackingReader reader(folder_.path());
  const auto found = reader.find(one.envelope_id, one.certifier);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].trace.root(), "4jWzjj46J4z1W");
  EXPECT_EQ(found[1].trace.root(), "4jWzjj46J4z1V");
  EXPECT_TRUE(reader.find(one.envelope_id, TrackingCertifier::from_octets({9})).empty());
  EXPECT_TRUE(reader.find(*EnvelopeId::from_decoded("none@h.example"), one.certifier).empty());
}

TEST_F(QueuedTrackingTest, AMissingStoreIsSaid) {
  EXPECT_THROW(QueuedTrackingReader(folder_.path() + "/none"), StoreUnusable);
}

}  // namespace
}  // namespace mtrk::store

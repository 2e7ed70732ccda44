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

TEST_F(QueuedTrackingTest, AMissingStoreIsSaid) {
  EXPECT_THROW(QueuedTrackingReader(folder_.path() + "/none"), StoreUnusable);
}

}  // namespace
}  // namespace mtrk::store

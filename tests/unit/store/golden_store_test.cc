// A store that an earlier program wrote has to be read by every later one (tests/data/store-v1,
// made by tests/support/make_golden_store.cc). These files are never made again.
#include "tests/unit/store/store_fixture.h"

#include <gmock/gmock.h>

#include <unistd.h>

#include <bit>
#include <filesystem>

namespace mtrk::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class GoldenStoreTest : public StoreTest {
 protected:
  void SetUp() override {
    if (::sysconf(_SC_PAGESIZE) != 4096 || std::endian::native != std::endian::little) {
      GTEST_SKIP() << "LMDB files are those of one kind of machine";
    }
    std::filesystem::create_directory(options().path);
    std::filesystem::copy_file(MTRK_TEST_DATA "/store-v1/data.mdb", options().path + "/data.mdb");
    open();
  }
};

TEST_F(GoldenStoreTest, Format1IsRead) {
  const std::vector<TrackedMessage> every = find("every@example.net");
  ASSERT_THAT(every, SizeIs(1));
  EXPECT_EQ(every[0].reporting_mta, (MtaName{"dns", "mx.example.test"}));
  EXPECT_EQ(every[0].arrival, kNow);
  EXPECT_EQ(every[0].utc_offset, Minutes(-210));
  EXPECT_EQ(every[0].expires_at, kNow + kDay);
  EXPECT_THAT(actions("every@example.net"),
              ElementsAre(Action::delivered, Action::failed, Action::expanded, Action::relayed,
                          Action::transferred, Action::delayed, Action::opaque));
  const Recipient& failed = every[0].recipients[1];
  EXPECT_EQ(failed.original, (TypedAddress{"rfc822", "given1@example.net"}));
  EXPECT_EQ(failed.final, (TypedAddress{"utf-8",
                                        "\xC3\xBC"
                                        "1@example.net"}));
  EXPECT_TRUE(failed.redirected);
  EXPECT_EQ(status_of(failed.outcome), (EnhancedStatus{5, 1, 1}));
  EXPECT_EQ(remote_mta_of(failed.outcome), (MtaName{"dns", "mx.example.net"}));
  EXPECT_EQ(last_attempt_of(failed.outcome), kNow + Seconds(5));
  EXPECT_EQ(will_retry_until_of(every[0].recipients[5].outcome), kNow + 5 * kDay);
}

TEST_F(GoldenStoreTest, TracesOfFormat1GoOn) {
  EXPECT_THAT(actions("queued@example.net"), ElementsAre(Action::relayed, Action::delayed));
  EXPECT_TRUE(find("queued@example.net").at(0).queued);
  EXPECT_THAT(find("provisional@example.net"), IsEmpty());
  apply({attempt("4dCXzt0Cvjz5Z", "b@example.net", "bounced"), removed("4dCXzt0Cvjz5Z"),
         queued("4dCXzt0CvjzAA")});
  EXPECT_THAT(actions("queued@example.net"), ElementsAre(Action::relayed, Action::failed));
  EXPECT_THAT(find("provisional@example.net"), SizeIs(1));
}

TEST_F(GoldenStoreTest, CursorAndRetentionOfFormat1Hold) {
  const std::optional<LogCursor> cursor = writer_->cursor("file:/var/log/mail.log");
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->offset, 3U);
  EXPECT_EQ(cursor->journal, "s=journal");
  EXPECT_EQ(writer_->stats().messages, 3U);
  sweep(kNow + kDay);
  EXPECT_THAT(find("every@example.net"), IsEmpty());
  EXPECT_EQ(writer_->stats().messages, 2U);  // the others wait for the log
}

}  // namespace
}  // namespace mtrk::store

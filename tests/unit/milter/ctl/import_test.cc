// mtrkctl import and ingest on a real store.
#include "milter/ctl/import.h"

#include "common/base/exit_code.h"
#include "common/store/tracking_reader.h"
#include "milter/ctl/ingest.h"
#include "milter/ctl/stats.h"
#include "tests/unit/store/store_fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>

namespace mtrk {
namespace {

using store::TrackingReader;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class CtlTest : public ::testing::Test {
 protected:
  CtlTest() {
    config_.hostname = "mx.example.test";
    config_.store.path = folder_.path() + "/store";
    config_.store.max_size = 64 * store::kMiB;
  }
  std::string write(const std::string& name, const std::string& text, bool append = false) {
    std::string path = folder_.path() + "/" + name;
    std::ofstream(path, append ? std::ios::app : std::ios::trunc) << text;
    return path;
  }
  int import(const std::string& path) {
    testing::internal::CaptureStderr();
    const int code = run_import({path, config_});
    stderr_ = testing::internal::GetCapturedStderr();
    return code;
  }
  int ingest(const std::string& path) {
    testing::internal::CaptureStderr();
    const int code = run_ingest({{path}, config_, {}});
    stderr_ = testing::internal::GetCapturedStderr();
    return code;
  }
  [[nodiscard]] std::vector<TrackedMessage> find(const std::string& id) const {
    return TrackingReader(config_.store.path)
        .find(store::envid(id), store::certifier(), TimePoint(Seconds(1'795'000'000)))
        .messages;
  }

  store::TempFolder folder_;
  Config config_;
  std::string stderr_;
};

std::string message(const std::string& id, const std::string& queue_id) {
  return fmt::format(
      R"({{"envelope_id":"{}","certifier":"BwcHBwcHBwcHBwcHBwcHBwcHBwc",)"
      R"("arrival":"2026-11-21T16:49:22Z","timeout":999999999,"queue_id":"{}","recipients":[)"
      R"({{"original":"rfc822;a@b.test","final":"rfc822;a@b.test","action":"delayed",)"
      R"("status":"4.0.0"}}]}})"
      "\n",
      id, queue_id);
}

TEST_F(CtlTest, GoodLinesAreImportedBadOnesNamed) {
  const std::string file = write("in", message("a@example.net", "4dCXzt0Cvjz5Z") + "\n{}\n" +
                                           message("b@example.net", "4dCXzt0CvjzAA") + "nonsense");
  EXPECT_EQ(import(file), exit_code::data_error);
  EXPECT_THAT(stderr_, HasSubstr(file + ":3: envelope_id: is missing"));
  EXPECT_THAT(stderr_, HasSubstr(file + ":5: not JSON"));
  EXPECT_THAT(stderr_, HasSubstr("lines=5 imported=2 bad=2"));
  ASSERT_THAT(find("a@example.net"), SizeIs(1));
  EXPECT_THAT(find("b@example.net"), SizeIs(1));
  EXPECT_EQ(find("a@example.net")[0].reporting_mta, (MtaName{"dns", "mx.example.test"}));
  EXPECT_TRUE(find("a@example.net")[0].queued);
}

TEST_F(CtlTest, ImportingTwiceChangesNothing) {
  const std::string file = write("in", message("a@example.net", "4dCXzt0Cvjz5Z"));
  EXPECT_EQ(import(file), exit_code::ok);
  EXPECT_EQ(import(file), exit_code::ok);
  EXPECT_THAT(find("a@example.net"), SizeIs(1));
}

TEST_F(CtlTest, FullStoreStopsTheImport) {
  config_.store.max_size = store::kMiB;
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += message(fmt::format("{}@example.net", i), fmt::format("4dCXzt{:07}", i));
  }
  EXPECT_EQ(import(write("in", text)), exit_code::temp_fail);
  EXPECT_THAT(stderr_, HasSubstr("the store is full"));
  EXPECT_THAT(find("0@example.net"), SizeIs(1));
}

TEST_F(CtlTest, ALineThatIsTooLongIsNamedAndLeftOut) {
  const std::string file =
      write("in", message("a@example.net", "4dCXzt0Cvjz5Z") + std::string(20'000'000, 'x') + "\n" +
                      message("b@example.net", "4dCXzt0CvjzAA"));
  EXPECT_EQ(import(file), exit_code::data_error);
  EXPECT_THAT(stderr_, HasSubstr(file + ":2: the line has more than 16 MiB"));
  EXPECT_THAT(stderr_, HasSubstr("lines=3 imported=2 bad=1"));
  EXPECT_EQ(import("/dev/zero"), exit_code::data_error);
  EXPECT_THAT(stderr_, HasSubstr("/dev/zero:1: the line has no end"));
}

TEST_F(CtlTest, WhatCannotBeReadIsNoEnd) {
  EXPECT_EQ(import(folder_.path()), exit_code::io_error);
  EXPECT_THAT(stderr_, HasSubstr(folder_.path() + ": "));
  EXPECT_THAT(stderr_, HasSubstr("imported=0"));
}

TEST_F(CtlTest, WhatCannotBeOpenedSaysSo) {
  EXPECT_EQ(import(folder_.path() + "/nothing"), exit_code::no_input);
  config_.store.path = folder_.path() + "/no/parent";
  EXPECT_EQ(import(write("in", "")), exit_code::cant_create);
  EXPECT_THAT(stderr_, HasSubstr(config_.store.path));
  EXPECT_EQ(ingest(folder_.path() + "/nothing"), exit_code::no_input);
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_stats(config_, StatsFormat::json), exit_code::no_input);
  testing::internal::GetCapturedStderr();
}

std::string log_lines(const std::string& queue_id) {
  return fmt::format(
      "2026-11-21T16:50:00.1+00:00 mx postfix/qmgr[7]: {0}: from=<s@c.test>, size=400, nrcpt=1 "
      "(queue active)\n"
      "2026-11-21T16:50:01.1+00:00 mx postfix/smtp[8]: {0}: to=<a@b.test>, "
      "relay=mx.b.test[192.0.2.25]:25, delay=1, delays=0/0/0.5/0.5, dsn=2.0.0, status=sent (250 "
      "2.0.0 Ok: queued as 4ABCDEF)\n"
      "2026-11-21T16:50:01.2+00:00 mx postfix/qmgr[7]: {0}: removed\n",
      queue_id);
}

TEST_F(CtlTest, LogIsIngestedOnceHoweverOftenItIsTried) {
  import(write(
      "in", message("a@example.net", "4dCXzt0Cvjz5Z") + message("b@example.net", "4dCXzt0CvjzAA")));
  const std::string log = write("log", log_lines("4dCXzt0Cvjz5Z"));
  EXPECT_EQ(ingest(log), exit_code::ok);
  EXPECT_THAT(stderr_, HasSubstr("lines=3 events=3 ignored=0 unparsed=0 applied=3"));
  EXPECT_EQ(ingest(log), exit_code::ok);
  EXPECT_THAT(stderr_, HasSubstr("lines=0"));
  const std::string more = log_lines("4dCXzt0CvjzAA");
  write("log", more.substr(0, more.size() - 1), true);  // the last line is not complete
  EXPECT_EQ(ingest(log), exit_code::ok);
  EXPECT_THAT(stderr_, HasSubstr("lines=2"));
  EXPECT_TRUE(find("b@example.net").at(0).queued);
  write("log", "\n", true);
  EXPECT_EQ(ingest(log), exit_code::ok);
  EXPECT_THAT(stderr_, HasSubstr("lines=1"));
  for (const char* id : {"a@example.net", "b@example.net"}) {
    const std::vector<TrackedMessage> found = find(id);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_FALSE(found[0].queued);
    EXPECT_EQ(action_of(found[0].recipients[0].outcome), Action::relayed);
  }
}

TEST_F(CtlTest, UnparsedDeliveryLineIsShown) {
  const std::string log = write("log",
                                "2026-11-21T16:50:01.1+00:00 mx postfix/smtp[8]: 4dCXzt0Cvjz5Z: "
                                "to=<a@b.test>, nonsense\n");
  EXPECT_EQ(ingest(log), 1);
  EXPECT_THAT(stderr_, HasSubstr("unparsed: 2026-11-21"));
  EXPECT_THAT(stderr_, HasSubstr("unparsed=1"));
}

TEST_F(CtlTest, RestOfALineOfMegabytesIsNeverReadAsALine) {
  import(write("in", message("a@example.net", "4dCXzt0Cvjz5Z")));
  const std::string inner = log_lines("4dCXzt0Cvjz5Z");
  const std::size_t chunk = std::size_t{4} << 20;
  const std::string log =
      write("log", std::string(chunk, 'x') + inner + log_lines("4dCXzt0CvjzAA"));
  EXPECT_EQ(ingest(log), exit_code::ok);
  // The first line of `inner` is the end of the long one.
  EXPECT_THAT(stderr_, HasSubstr("lines=5 events=5"));
}

}  // namespace
}  // namespace mtrk

#include "mtqpd/mtqp/ask/ask.h"
#include "mtqpd/mtqp/ask/track.h"
#include "tests/support/scripted_peer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

// The golden dialogues g1 to g8 (tests/data/sessions) and examples like those of RFC 3887 §4.1, as
// a client takes them.
namespace mtrk::cli {
namespace {

using Session = test::ScriptedPeer::Session;

const std::string kMessage =
    "Original-Envelope-Id: 12345-20010101@example.com\r\n"
    "Reporting-MTA: dns; mx.example2.com\r\n"
    "Arrival-Date: Mon, 1 Jan 2001 15:15:15 -0500\r\n";
const std::string kRecipient =
    "Original-Recipient: rfc822; user1@example1.com\r\n"
    "Final-Recipient: rfc822; user1@example1.com\r\n";
const std::string kAttempt = "Last-Attempt-Date: Mon, 1 Jan 2001 15:15:16 -0500\r\n";
const std::string kRetry = "Will-Retry-Until: Thu, 4 Jan 2001 15:15:15 -0500\r\n";
const std::string kRemote = "Remote-MTA: dns; mx.example3.com\r\n";

std::string report(const std::string& group) {
  return "+OK+ Tracking information follows\r\n"
         "Content-Type: multipart/related; boundary=\"b1\"; "
         "type=\"message/tracking-status\"\r\n\r\n"
         "--b1\r\nContent-Type: message/tracking-status\r\n\r\n" +
         kMessage + "\r\n" + kRecipient + group + "\r\n--b1--\r\n.\r\n";
}

struct Printed {
  int code;
  std::string out;
};
Printed track(const std::string& answer, std::string* asked = nullptr) {
  ::setenv("XDG_STATE_HOME", "/nonexistent", 1);
  test::ScriptedPeer peer([&](Session& session) {
    session.send("+OK/MTQP mtqpd ready\r\n");
    session.line();
    session.send(answer);
    session.line();
    session.send("+OK bye\r\n");
  });
  TrackOptions options;
  options.target =
      "mtqp://" + peer.address() + "/track/12345-20010101@example.com/AAECAwQFBgcICQoLDA0ODw==";
  options.follow = false;
  options.json = true;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run_track(options);
  testing::internal::GetCapturedStderr();
  if (asked != nullptr) {
    *asked = peer.received();
  }
  return {code, testing::internal::GetCapturedStdout()};
}

TEST(GoldenTest, DeliveredIsAskedAndReadToTheOctet) {  // MTQP-2.2-02, MTQP-4-13
  std::string asked;
  const Printed run = track(report("Action: delivered\r\nStatus: 2.1.5\r\n" + kAttempt), &asked);
  EXPECT_EQ(asked, "TRACK 12345-20010101@example.com AAECAwQFBgcICQoLDA0ODw==\r\nQUIT\r\n");
  EXPECT_EQ(run.code, 0);
  EXPECT_NE(
      run.out.find(
          R"("envelope_id":"12345-20010101@example.com","reporting_mta":"dns;mx.example2.com",)"
          R"("arrival":"2001-01-01T20:15:15Z","recipients":[{"original":)"
          R"("rfc822;user1@example1.com","final":"rfc822;user1@example1.com",)"
          R"("action":"delivered","status":"2.1.5","last_attempt":"2001-01-01T20:15:16Z"}])"),
      std::string::npos)
      << run.out;
}

TEST(GoldenTest, OutcomesHaveTheirExitCodes) {  // MTSN-3.3.3-02
  const struct {
    std::string group;
    int code;
    const char* json;
  } cases[] = {
      {"Action: transferred\r\nStatus: 2.4.0\r\n" + kRemote + kAttempt, 0, R"("transferred")"},
      {"Action: relayed\r\nStatus: 2.1.9\r\n" + kRemote + kAttempt, 0, R"("relayed")"},
      {"Action: delayed\r\nStatus: 4.4.1\r\n" + kRemote + kAttempt + kRetry, 1,
       R"("will_retry_until":"2001-01-04T20:15:15Z")"},
      {"Action: delayed\r\nStatus: 4.0.0\r\n" + kRetry, 1, R"("status":"4.0.0")"},
      {"Action: failed\r\nStatus: 5.1.1\r\n" + kRemote + kAttempt, 2, R"("failed")"},
      {"Action: expanded\r\nStatus: 2.1.5\r\n" + kAttempt, 0, R"("expanded")"},
      {"ACTION: Delivered (really)\r\nstatus:\r\n 2.1.5 (fine)\r\n" + kAttempt, 0,
       R"("delivered","status":"2.1.5")"},  // DSNF-2.1.1-01, DSNF-2.3.3-01
  };
  for (const auto& c : cases) {
    const Printed run = track(report(c.group));
    EXPECT_EQ(run.code, c.code) << c.group;
    EXPECT_NE(run.out.find(c.json), std::string::npos) << run.out;
  }
}

TEST(GoldenTest, NegativeAnswersHaveTheirExitCodes) {
  EXPECT_EQ(track("-ERR/noinfo no such message\r\n").code, 3);
  EXPECT_EQ(track("-BAD malformed\r\n").code, 6);
  EXPECT_EQ(track("-err/NOINFO/whatever x\r\n").code, 3);  // MTQP-2.3-04
}

TEST(GoldenTest, ExamplesLikeThoseOfTheRfcAreUnderstood) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MTRK_TEST_DATA "/reports")) {
    std::ifstream in(entry.path(), std::ios::binary);
    mtqp::Reply reply;
    reply.body.emplace(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    const HopResult result = interpret({std::move(reply), false});
    const auto* answer = std::get_if<HopAnswer>(&result);
    ASSERT_NE(answer, nullptr) << entry.path();
    EXPECT_FALSE(answer->parts.front().recipients.empty()) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 7);
}

}  // namespace
}  // namespace mtrk::cli

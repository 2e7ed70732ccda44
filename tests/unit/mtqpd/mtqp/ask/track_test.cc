#include "mtqpd/mtqp/ask/track.h"

#include "mtqpd/mtqp/base/network.h"
#include "mtqpd/mtqp/base/options.h"
#include "mtqpd/mtqp/base/secret.h"
#include "tests/support/scripted_peer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

// The whole command against scripted peers: what it prints and what it exits with.
namespace mtrk::cli {
namespace {

using Session = test::ScriptedPeer::Session;

constexpr char kSecret[] = "AAECAwQFBgcICQoLDA0ODw==";

std::string report(const std::string& mta, const std::string& group) {
  return "+OK+ here\r\n"
         "Content-Type: multipart/related; boundary=\"b\"; type=\"message/tracking-status\"\r\n\r\n"
         "--b\r\nContent-Type: message/tracking-status\r\n\r\n"
         "Original-Envelope-Id: 1@a.test\r\nReporting-MTA: dns; " +
         mta + "\r\nArrival-Date: Mon, 1 Jan 2001 15:15:15 -0500\r\n\r\n" +
         "Original-Recipient: rfc822; u@a.test\r\nFinal-Recipient: rfc822; u@a.test\r\n" + group +
         "\r\n--b--\r\n.\r\n";
}
const std::string kDelivered =
    "Action: delivered\r\nStatus: 2.1.5\r\n"
    "Last-Attempt-Date: Mon, 1 Jan 2001 15:15:16 -0500\r\n";
const std::string kTransferred =
    "Action: transferred\r\nStatus: 2.4.0\r\nRemote-MTA: dns; mx2.a.test\r\n"
    "Last-Attempt-Date: Mon, 1 Jan 2001 15:15:16 -0500\r\n";

test::ScriptedPeer::Script answers(const std::string& answer) {
  return [answer](Session& session) {
    session.send("+OK/MTQP\r\n");
    session.line();
    session.send(answer);
    session.drain();
  };
}

struct Printed {
  int code;
  std::string out;
  std::string err;
};
Printed track(TrackOptions options) {
  ::setenv("XDG_STATE_HOME", "/nonexistent", 1);  // what this user has sent or met is not for tests
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run_track(options);
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}
TrackOptions uri_of(const test::ScriptedPeer& peer) {
  TrackOptions options;
  options.target = "mtqp://" + peer.address() + "/track/1@a.test/" + kSecret;
  options.json = true;
  return options;
}

TEST(TrackCommandTest, DereferencesAUri) {  // MTQP-9-08, MTQP-2-02, MODEL-4-08
  test::ScriptedPeer peer(answers(report("mx1.a.test", kDelivered)));
  const Printed run = track(uri_of(peer));
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_NE(run.out.find(R"("action":"delivered","status":"2.1.5")"), std::string::npos) << run.out;
  EXPECT_NE(run.err.find("goes in clear"), std::string::npos);  // MTQP-11-01
  EXPECT_EQ(peer.received(), "TRACK 1@a.test " + std::string(kSecret) + "\r\nQUIT\r\n");
}

TEST(TrackCommandTest, FollowsATransfer) {
  test::ScriptedPeer second(answers(report("mx2.a.test", kDelivered)));
  test::ScriptedPeer first(answers(report("mx1.a.test", kTransferred)));
  TrackOptions options = uri_of(first);
  options.resolve = {"MX2.a.test=" + second.address()};
  const Printed run = track(options);
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(second.connections(), 1);
  EXPECT_NE(run.out.find(R"("hop":2,"server":"mx2.a.test:1038")"), std::string::npos) << run.out;
  options.follow = false;
  EXPECT_EQ(track(options).code, 0);
  EXPECT_EQ(second.connections(), 1);
}

TEST(TrackCommandTest, RawIsTheBodyAsReceived) {
  const std::string answer = report("mx1.a.test", kDelivered);
  test::ScriptedPeer peer(answers(answer));
  TrackOptions options = uri_of(peer);
  options.json = false;
  options.raw = true;
  const std::string body = answer.substr(answer.find("\r\n") + 2);
  EXPECT_EQ(track(options).out, body.substr(0, body.size() - 3));
}

TEST(TrackCommandTest, ExitCodesOfAnswers) {
  const struct {
    const char* answer;
    int want;
  } cases[] = {
      {"-ERR/noinfo x\r\n", 3},
      {"-TEMP/unavailable\r\n", 4},
      {"-ERR/unavailable\r\n", 4},
      {"-TEMP/admin\r\n", 4},
      {"-ERR/tls-required\r\n", 5},
      {"-ERR/insecure\r\n", 5},
      {"-BAD\r\n", 6},
      {"+OK\r\n", 6},
      {"+OK+\r\n.\r\n", 6},
      {"+OK+\r\nnot MIME\r\n.\r\n", 6},
      {"what\r\n", 6},
  };
  for (const auto& c : cases) {
    test::ScriptedPeer peer(answers(c.answer));
    EXPECT_EQ(track(uri_of(peer)).code, c.want) << c.answer;
  }
}

TEST(TrackCommandTest, ServerTextNeverReachesTheUser) {  // MTQP-2.3-06
  test::ScriptedPeer peer(answers("-ERR/noinfo \x1b[2J call 555-1234\r\n"));
  const Printed run = track(uri_of(peer));
  EXPECT_EQ((run.out + run.err).find("555"), std::string::npos);
}

TEST(TrackCommandTest, VerboseMasksTheSecret) {
  test::ScriptedPeer peer(answers(report("mx1.a.test", kDelivered)));
  TrackOptions options = uri_of(peer);
  options.verbose = true;
  const Printed run = track(options);
  EXPECT_NE(run.err.find("> TRACK 1@a.test ********"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("< +OK/MTQP"), std::string::npos);
  EXPECT_EQ((run.out + run.err).find("AAECAwQF"), std::string::npos);
}

TEST(TrackCommandTest, TakesTheSecretFromAFileOrTheEnvironment) {
  test::ScriptedPeer peer(answers(report("mx1.a.test", kDelivered)));
  const test::TemporaryFolder folder;
  std::ofstream(folder.file("secret")) << "  " << kSecret << "\r\n";
  TrackOptions options;
  options.json = true;
  options.target = "1@a.test";
  options.server = peer.address();
  options.secret_file = folder.file("secret");
  EXPECT_EQ(track(options).code, 0);
  options.secret_file.clear();
  EXPECT_EQ(track(options).code, 64);  // no secret at all
  ::setenv("MTQP_SECRET", kSecret, 1);
  EXPECT_EQ(track(options).code, 0);
  EXPECT_EQ(std::getenv("MTQP_SECRET"), nullptr);
}

TEST(TrackCommandTest, UsageErrorsAskNobody) {
  test::ScriptedPeer peer(answers("-BAD\r\n"));
  const auto code = [&](const std::string& target, const std::string& server) {
    TrackOptions options;
    options.target = target;
    options.server = server;
    return track(options).code;
  };
  EXPECT_EQ(code("1@a.test", ""), 64);
  EXPECT_EQ(code("no-at-sign", peer.address()), 64);
  EXPECT_EQ(code("mtqp://h/track/1@a.test/!!", ""), 64);
  EXPECT_EQ(code("mtqp://h/track/1@a.test/AAAA", "h"), 64);
  EXPECT_EQ(peer.connections(), 0);
}

TEST(SecretTest, ReadsOneLineOfBase64) {  // MODEL-6-02: of any allowed size
  std::istringstream good("AAAA\nrest");
  EXPECT_TRUE(read_secret(good));
  for (const char* text : {"", "\n", "AA AA\n", "AA-_\n"}) {
    std::istringstream in(text);
    EXPECT_FALSE(read_secret(in)) << text;
  }
  std::istringstream endless(std::string(1 << 20, 'A'));
  EXPECT_FALSE(read_secret(endless));
}

TEST(SecretTest, UrisDisappearFromTheArguments) {
  char program[] = "mtqp";
  char plain[] = "track";
  char uri[] = "MTQP://h/track/a@b/AAAA";
  char* argv[] = {program, plain, uri, nullptr};
  EXPECT_TRUE(wipe_uris(3, argv));
  EXPECT_EQ(std::string(uri), "MTQP:******************");
  EXPECT_EQ(std::string(plain), "track");
  EXPECT_FALSE(wipe_uris(2, argv));
}

TEST(CommandLineTest, ReadsTrack) {
  CommandLine line;
  ASSERT_FALSE(parse_command_line(
      {"track", "--server", "h", "--no-follow", "--tls=require", "--resolve", "a=127.0.0.1", "1@a"},
      line));
  const auto& track = std::get<TrackOptions>(line.command);
  EXPECT_EQ(track.target, "1@a");
  EXPECT_FALSE(track.follow);
  EXPECT_EQ(track.tls.use, mtqp::TlsUse::required);
  EXPECT_EQ(track.resolve.size(), 1U);
}

TEST(CommandLineTest, RefusesWithExitCode64) {
  const std::vector<std::string> cases[] = {
      {},
      {"trace"},
      {"track"},
      {"track", "1@a", kSecret},             // a secret on the command line
      {"track", "--timeout", "119", "1@a"},  // MTQP-2.5-06
      {"track", "--tls", "maybe", "1@a"},
      {"track", "--json", "--raw", "1@a"},
      {"send", "--smtp", "h"},
      {"new", "--timeout", "1000000000"},  // MTRK-3.1-22
  };
  for (const auto& arguments : cases) {
    testing::internal::CaptureStderr();
    CommandLine line;
    EXPECT_EQ(parse_command_line(arguments, line), 64) << testing::PrintToString(arguments);
    const std::string error = testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 1) << error;
    EXPECT_EQ(error.find(kSecret), std::string::npos) << error;
  }
}

TEST(FixedNamesTest, ReadsHostAndAddress) {
  const auto names = parse_fixed_names({"MX.a=127.0.0.1:99", "b=[::1]"});
  ASSERT_TRUE(names);
  EXPECT_EQ(names->at("mx.a").port, 99);
  EXPECT_FALSE(names->at("b").port);
  for (const char* text : {"", "a", "=127.0.0.1", "a=", "a=host", "a=127.0.0.1:0"}) {
    EXPECT_FALSE(parse_fixed_names({text})) << text;
  }
}

}  // namespace
}  // namespace mtrk::cli

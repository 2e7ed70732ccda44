#include "mtqpd/mtqp/send/send.h"

#include "common/mtqp/uri.h"
#include "common/track/certifier.h"
#include "common/track/mail_params.h"
#include "mtqpd/mtqp/send/identity.h"
#include "mtqpd/mtqp/send/message.h"
#include "mtqpd/mtqp/send/sent_file.h"
#include "tests/support/scripted_peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

// mtqp send against a small SMTP server. Real ones are for the system tests.
namespace mtrk::cli {
namespace {

using Session = test::ScriptedPeer::Session;
using testing::HasSubstr;
using testing::Not;

struct Smtp {
  std::string ehlo = "250-mx.a.test\r\n250 HELP\r\n";
  std::string ehlo_in_tls = {};
  std::string refused = {};  // a recipient that contains this is refused
  std::string mail = "250 2.1.0 ok\r\n";
  std::string data = "354 go on\r\n";
  std::string end = "250 2.0.0 queued as X\r\n";
  std::string after_starttls = {};
  const test::TestCertificate* certificate = nullptr;

  void operator()(Session& session) const {
    bool tls = false;
    session.send("220 mx.a.test ESMTP\r\n");
    for (std::string line; !(line = session.line()).empty();) {
      if (line.starts_with("EHLO")) {
        session.send(tls && !ehlo_in_tls.empty() ? ehlo_in_tls : ehlo);
      } else if (line == "STARTTLS") {
        session.send("220 go\r\n" + after_starttls);
        if (!session.start_tls(*certificate)) {
          return;
        }
        tls = true;
      } else if (line.starts_with("AUTH")) {
        session.send("235 2.7.0 welcome\r\n");
      } else if (line.starts_with("MAIL")) {
        session.send(mail);
      } else if (line.starts_with("RCPT")) {
        const bool no = !refused.empty() && line.find(refused) != std::string::npos;
        session.send(no ? "550 5.1.1 no such user\r\n" : "250 2.1.5 ok\r\n");
      } else if (line == "DATA") {
        session.send(data);
        while (data.starts_with("3") && session.line() != ".") {
        }
        session.send(end);
      } else if (line == "QUIT") {
        session.send("221 bye\r\n");
        return;
      }
    }
  }
};

const std::string kMtrk = "250-mx.a.test\r\n250-DSN\r\n250 MTRK later=parameters\r\n";
const std::string kDsn = "250-mx.a.test\r\n250-8BITMIME\r\n250 DSN\r\n";

class SendCommandTest : public testing::Test {
 protected:
  SendCommandTest() {
    ::setenv("XDG_STATE_HOME", folder_.path().c_str(), 1);
    message_ = folder_.file("message");
    std::ofstream(message_) << "Subject: hello\n\n.dot\nend\n";
    options_.from = "s@a.test";
    options_.to = {"u@b.test"};
    options_.host = "client.a.test";
    options_.file = message_;
  }

  int send(const Smtp& smtp) {
    test::ScriptedPeer peer(smtp);
    options_.smtp = peer.address();
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = run_send(options_, Config());
    out = testing::internal::GetCapturedStdout();
    err = testing::internal::GetCapturedStderr();
    received = peer.received();
    return code;
  }
  std::string line_with(const std::string& beginning) const {
    const std::size_t at = received.find(beginning);
    return at == std::string::npos ? "" : received.substr(at, received.find("\r\n", at) - at);
  }
  // The MAIL command as a milter would see it.
  MailParams mail_params() const {
    std::istringstream words(line_with("MAIL FROM:").substr(10));
    std::vector<std::string> text{std::istream_iterator<std::string>(words), {}};
    std::vector<const char*> argv;
    for (const std::string& word : text) {
      argv.push_back(word.c_str());
    }
    argv.push_back(nullptr);
    return parse_mail_params(argv.data());
  }
  std::string sent_file() const {
    std::ifstream in(sent_file_path());
    return {std::istreambuf_iterator<char>(in), {}};
  }

  test::TemporaryFolder folder_;
  std::string message_;
  SendOptions options_;
  std::string out;
  std::string err;
  std::string received;
};

TEST_F(SendCommandTest, UsesMtrkWhereAnnounced) {  // MTRK-3.1-01, MTRK-3.2-01, MTRK-2-03
  options_.timeout = 3600;
  ASSERT_EQ(send({.ehlo = kMtrk}), 0) << err;
  const Expected<mtqp::TrackUri> uri = mtqp::parse_track_uri(out.substr(0, out.size() - 1));
  ASSERT_TRUE(uri) << out;
  EXPECT_EQ(uri->host, "127.0.0.1");
  EXPECT_FALSE(uri->port);
  const std::string mail = line_with("MAIL FROM:");
  EXPECT_THAT(mail, HasSubstr(" MTRK=" + TrackingCertifier::of(uri->secret).to_base64() + ":3600"));
  EXPECT_THAT(mail, HasSubstr(" ENVID=" + uri->envelope_id.xtext()));
  EXPECT_EQ(line_with("RCPT"), "RCPT TO:<u@b.test> ORCPT=rfc822;u@b.test");  // DSNX-4.2-04
}

TEST_F(SendCommandTest, FoldsWhereOnlyDsnIsOffered) {
  options_.timeout = 99;
  options_.tracker = "track.a.test:2038";
  ASSERT_EQ(send({.ehlo = kDsn}), 0) << err;
  const Expected<mtqp::TrackUri> uri = mtqp::parse_track_uri(out.substr(0, out.size() - 1));
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->host, "track.a.test");
  EXPECT_EQ(uri->port, 2038);
  EXPECT_THAT(line_with("MAIL FROM:"), Not(HasSubstr("MTRK=")));
  const MailParams params = mail_params();
  ASSERT_TRUE(params.folded);
  ASSERT_TRUE(params.tracking) << params.refusal;
  EXPECT_EQ(params.tracking->envelope_id, uri->envelope_id);
  EXPECT_EQ(params.tracking->mtrk.certifier, TrackingCertifier::of(uri->secret));
  EXPECT_EQ(params.tracking->mtrk.timeout, Seconds(99));
}

TEST_F(SendCommandTest, RefusesWhereNothingCarriesTheCertifier) {
  EXPECT_EQ(send({}), 69);
  EXPECT_EQ(line_with("MAIL"), "");
  EXPECT_EQ(sent_file(), "");
  options_.untracked_ok = true;
  EXPECT_EQ(send({}), 0);
  EXPECT_EQ(line_with("MAIL"), "MAIL FROM:<s@a.test>");  // DSNX-5.2.2-01
  EXPECT_EQ(line_with("RCPT"), "RCPT TO:<u@b.test>");
  EXPECT_EQ(out, "");
  EXPECT_THAT(err, HasSubstr("without tracking"));
}

TEST_F(SendCommandTest, KeepsTheSecretForTheUserAlone) {  // MTRK-3.1-08, MTRK-4.2-02
  ASSERT_EQ(send({.ehlo = kMtrk}), 0);
  struct stat status {};
  ASSERT_EQ(::stat(sent_file_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat((folder_.path() / "mtqp").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  EXPECT_THAT(sent_file(), HasSubstr(out.substr(0, out.size() - 1)));
  ASSERT_EQ(send({.ehlo = kMtrk}), 0);
  const std::string file = sent_file();
  EXPECT_EQ(std::count(file.begin(), file.end(), '\n'), 2);
  EXPECT_THAT(received, Not(HasSubstr("mtqp:")));  // not in the message
}

TEST_F(SendCommandTest, SendsNothingIfTheSecretCannotBeKept) {
  std::filesystem::create_directory(folder_.path() / "mtqp");
  std::filesystem::create_symlink("/dev/null", sent_file_path());
  EXPECT_EQ(send({.ehlo = kMtrk}), 73);
  EXPECT_EQ(line_with("DATA"), "");
  std::filesystem::remove(sent_file_path());
  std::ofstream(sent_file_path()) << "";
  std::filesystem::permissions(sent_file_path(), std::filesystem::perms(0644));
  EXPECT_EQ(send({.ehlo = kMtrk}), 73);
  EXPECT_EQ(line_with("DATA"), "");
}

TEST_F(SendCommandTest, SendsToTheRestIfSomeAreRefused) {
  options_.to = {"u@b.test", "nobody@b.test", "v@b.test"};
  options_.json = true;
  EXPECT_EQ(send({.ehlo = kMtrk, .refused = "nobody"}), 2);
  EXPECT_THAT(err, HasSubstr("nobody@b.test was refused: 550 5.1.1"));
  EXPECT_THAT(out, HasSubstr(R"("accepted":["u@b.test","v@b.test"],"refused":[{"recipient":)"));
  EXPECT_THAT(received, HasSubstr("DATA\r\n"));
  options_.to = {"nobody@b.test"};
  EXPECT_EQ(send({.ehlo = kMtrk, .refused = "nobody"}), 69);
  EXPECT_EQ(line_with("DATA"), "");
}

TEST_F(SendCommandTest, ExitCodesOfRefusals) {
  EXPECT_EQ(send({.ehlo = kMtrk, .mail = "451 4.3.0 later\r\n"}), 75);
  EXPECT_EQ(send({.ehlo = kMtrk, .mail = "555 5.5.4 no\r\n"}), 69);
  EXPECT_EQ(send({.ehlo = kMtrk, .data = "451 no\r\n"}), 75);
  EXPECT_EQ(send({.ehlo = kMtrk, .end = "554 5.6.0 no\r\n"}), 69);
  EXPECT_EQ(send({.ehlo = "hello\r\n"}), 6);
  EXPECT_EQ(send({.ehlo = "250-a\r\n251 b\r\n"}), 6);
}

TEST_F(SendCommandTest, StuffsDotsAndEndsLinesWithCrlf) {
  ASSERT_EQ(send({.ehlo = kMtrk}), 0);
  EXPECT_THAT(received, HasSubstr("DATA\r\nSubject: hello\r\n\r\n..dot\r\nend\r\n.\r\n"));
}

TEST_F(SendCommandTest, UsesTlsWhenOffered) {
  const test::TestCertificate certificate("mx.a.test");
  const Smtp smtp{.ehlo = "250-mx.a.test\r\n250-MTRK\r\n250 STARTTLS\r\n",
                  .ehlo_in_tls = kDsn,
                  .certificate = &certificate};
  options_.json = true;
  EXPECT_EQ(send(smtp), 0) << err;  // opportunistic: nobody vouches for this certificate
  EXPECT_THAT(out, HasSubstr(R"("carrier":"folded")"));  // MTRK was said in clear: forgotten
  EXPECT_THAT(out, HasSubstr(R"("tls":true)"));
  options_.tls.use = mtqp::TlsUse::required;
  EXPECT_EQ(send(smtp), 5);
  options_.tls.ca_file = certificate.certificate_file();
  options_.tls.name = "mx.a.test";
  EXPECT_EQ(send(smtp), 0) << err;
  EXPECT_EQ(send({.ehlo = kMtrk}), 5);  // not offered
}

TEST_F(SendCommandTest, BytesBeforeTheHandshakeAbort) {  // THR-C1, for SMTP
  const test::TestCertificate certificate("mx.a.test");
  EXPECT_EQ(send({.ehlo = "250-mx.a.test\r\n250 STARTTLS\r\n",
                  .after_starttls = "250 evil\r\n",
                  .certificate = &certificate}),
            6);
  EXPECT_EQ(line_with("MAIL"), "");
}

TEST_F(SendCommandTest, NoPasswordIsSentInClearOrToStrangers) {
  std::ofstream(folder_.file("password")) << "secret words\n";
  options_.user = "ann";
  options_.password_file = folder_.file("password");
  EXPECT_EQ(send({.ehlo = "250-mx.a.test\r\n250-DSN\r\n250 AUTH PLAIN LOGIN\r\n"}), 69);
  EXPECT_THAT(err, HasSubstr("in clear"));
  EXPECT_EQ(line_with("AUTH"), "");
  const test::TestCertificate certificate("mx.a.test");
  const Smtp smtp{.ehlo = "250-mx.a.test\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n",
                  .ehlo_in_tls = "250-mx.a.test\r\n250-DSN\r\n250 AUTH PLAIN\r\n",
                  .certificate = &certificate};
  EXPECT_EQ(send(smtp), 5);  // whose name?
  EXPECT_THAT(err, HasSubstr("--smtp-tls-name"));
  options_.tls.name = "mx.a.test";
  EXPECT_EQ(send(smtp), 5);  // nobody vouches for it
  EXPECT_EQ(line_with("AUTH"), "");
  options_.tls.ca_file = certificate.certificate_file();
  options_.verbose = true;
  EXPECT_EQ(send(smtp), 0) << err;
  EXPECT_EQ(line_with("AUTH"), "AUTH PLAIN AGFubgBzZWNyZXQgd29yZHM=");
  EXPECT_THAT(err, Not(HasSubstr("AGFubg")));
  EXPECT_THAT(err, HasSubstr("> (login)"));
}

TEST_F(SendCommandTest, RefusesUnsendableAddresses) {
  for (const char* address : {"u@b>\r\nRCPT TO:<x", "a b@c", "<u@b>", "u@\x80", "", "\"a@b"}) {
    options_.to = {address};
    EXPECT_EQ(send({.ehlo = kMtrk}), 64) << address;
    EXPECT_EQ(received, "") << address;
  }
  options_.to = {"\"a b\"@c.test"};
  EXPECT_EQ(send({.ehlo = kMtrk}), 0);
  EXPECT_EQ(line_with("RCPT"), "RCPT TO:<\"a b\"@c.test> ORCPT=rfc822;\"a+20b\"@c.test");
}

TEST(MessageTest, KeepsHeadersAndAddsThemOnlyWhereThereAreNone) {
  const MessageFields fields{"s@a", {"u@b", "v@b"}, "id@a", TimePoint(Seconds(978380115))};
  EXPECT_EQ(complete_message("X-y: z\n\nbody", fields), "X-y: z\n\nbody");
  EXPECT_EQ(complete_message("plain words\n", fields),
            "From: <s@a>\r\nTo: <u@b>,\r\n <v@b>\r\nDate: Mon, 1 Jan 2001 20:15:15 +0000\r\n"
            "Message-Id: <id@a>\r\nSubject: (no subject)\r\n\r\nplain words\n");
  EXPECT_THAT(complete_message("g\xc3\xbc"
                               "n",
                               fields),
              HasSubstr("Transfer-Encoding: 8bit"));
  EXPECT_THAT(complete_message("", fields), HasSubstr("Message-Id"));
}

TEST(IdentityTest, IsFreshEveryTime) {  // MTRK-3.1-02, MTRK-3.2-04, MTRK-3.2-08, MTRK-3.2-09,
                                        // MTRK-4.2-01, MODEL-4-09, MTQP-11-02
  std::set<std::string> ids;
  std::set<std::string> certifiers;
  for (int i = 0; i < 1000; ++i) {
    const Expected<Identity> identity = make_identity("mail.example.com", std::nullopt, false);
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->secret.octets().size(), 32U);
    EXPECT_EQ(identity->mtrk.certifier, TrackingCertifier::of(identity->secret));
    EXPECT_LE(identity->envelope_id.xtext().size(), 38U);  // DSNX-5.4-02
    ids.insert(identity->envelope_id.decoded());
    certifiers.insert(identity->mtrk.certifier.to_base64());
  }
  EXPECT_EQ(ids.size(), 1000U);
  EXPECT_EQ(certifiers.size(), 1000U);
}

TEST(IdentityTest, FoldFitsIntoAnEnvid) {  // RFC 3461 §4.4
  for (int i = 0; i < 200; ++i) {
    const Expected<Identity> identity =
        make_identity(std::string(60, 'h') + ".example.com", 999999999, true);
    ASSERT_TRUE(identity) << identity.error().detail;
    EXPECT_LE(fold_envid(identity->envelope_id.xtext(), identity->mtrk).size(), 100U);
  }
}

}  // namespace
}  // namespace mtrk::cli

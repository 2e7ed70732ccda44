#include "mtqpd/mtqp/ask/check.h"

#include "mtqpd/mtqp/ask/resolve.h"
#include "tests/support/scripted_peer.h"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

// mtqp check and mtqp resolve: what they show, against scripted servers.
namespace mtrk::cli {
namespace {

using Session = test::ScriptedPeer::Session;
using testing::HasSubstr;
using testing::Not;

constexpr char kName[] = "mx.example.test";

struct Printed {
  int code;
  std::string out;
};
Printed check(const test::ScriptedPeer& peer, CheckOptions options = {}) {
  options.host = kName;
  options.resolve = {std::string(kName) + "=" + peer.address()};
  testing::internal::CaptureStdout();
  const int code = run_check(options);
  return {code, testing::internal::GetCapturedStdout()};
}

TEST(CheckTest, ShowsOptionsAndCertificate) {
  const test::TestCertificate certificate(kName, 10);
  test::ScriptedPeer peer([&](Session& session) {
    session.send("+OK+/MTQP x\r\nSTARTTLS required\r\nvnd.odd \x1b[2J\r\n.\r\n");
    session.line();
    session.send("+OK\r\n");
    if (session.start_tls(certificate)) {
      session.send("+OK/MTQP\r\n");
      session.drain();
    }
  });
  CheckOptions options;
  options.tls.ca_file = certificate.certificate_file();
  const Printed good = check(peer, options);
  EXPECT_EQ(good.code, 0) << good.out;
  EXPECT_THAT(good.out, HasSubstr("STARTTLS required"));
  EXPECT_THAT(good.out, HasSubstr("the certificate is good"));
  EXPECT_THAT(good.out, HasSubstr(" days left"));
  EXPECT_THAT(good.out, HasSubstr("\\x1b[2J"));
  EXPECT_THAT(peer.received(), Not(HasSubstr("TRACK")));
  const Printed bad = check(peer);  // nobody vouches for it
  EXPECT_EQ(bad.code, 5);
  EXPECT_THAT(bad.out, HasSubstr("NOT good"));
  options.json = true;
  const boost::json::object object = boost::json::parse(check(peer, options).out).as_object();
  EXPECT_EQ(object.at("v"), 1);
  EXPECT_EQ(object.at("starttls_required"), true);
  EXPECT_EQ(object.at("verified"), true);
  const auto& leaf = object.at("chain").as_array().at(0).as_object();
  EXPECT_EQ(leaf.at("names").as_array().at(0), kName);
  EXPECT_EQ(leaf.at("key_sha256").as_string().size(), 64U);
}

TEST(CheckTest, ServersWithoutTlsAndOtherServices) {
  test::ScriptedPeer plain([](Session& session) {
    session.send("+OK/MTQP\r\n");
    session.drain();
  });
  const Printed clear = check(plain);
  EXPECT_EQ(clear.code, 0);
  EXPECT_THAT(clear.out, HasSubstr("can be asked, in clear"));
  CheckOptions strict;
  strict.tls.use = mtqp::TlsUse::required;
  EXPECT_EQ(check(plain, strict).code, 5);
  test::ScriptedPeer smtp([](Session& session) {
    session.send("220 mx ESMTP\r\n");
    session.drain();
  });
  EXPECT_EQ(check(smtp).code, 6);
  test::ScriptedPeer closed([](Session& session) {
    session.send("-TEMP/MTQP/admin\r\n");
    session.drain();
  });
  EXPECT_EQ(check(closed).code, 4);
}

TEST(ResolveTest, ShowsTargetsInTheirOrder) {
  net::Discovery found;
  found.srv = true;
  found.targets.push_back({"a.test",
                           2038,
                           net::SrvRecord{10, 5, 2038, "a.test"},
                           {net::asio::ip::make_address("::1")},
                           ""});
  found.targets.push_back({"b\x1b.test", 1, net::SrvRecord{20, 0, 1, "b"}, {}, "has no address"});
  EXPECT_EQ(format_discovery(found),
            "a.test:2038  by SRV, priority 10, weight 5\n  ::1\n"
            "b\\x1b.test:1  by SRV, priority 20, weight 0\n  has no address\n");
  const std::string json = format_discovery_json("mx.test", found);
  EXPECT_THAT(json, HasSubstr(R"("priority":10,"weight":5,"addresses":["::1"])"));
  EXPECT_EQ(std::count(json.begin(), json.end(), '\n'), 1);
}

}  // namespace
}  // namespace mtrk::cli

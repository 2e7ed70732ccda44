#include "mtqpd/mtqp/ask/known_servers.h"

#include "mtqpd/mtqp/ask/trust.h"
#include "tests/support/test_certificate.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace mtrk::cli {
namespace {

constexpr TimePoint kNow(Seconds(1'800'000'000));

net::MtqpPeer with_tls(const std::string& key) {
  net::MtqpPeer peer;
  peer.tls = true;
  peer.greeting.positive = true;
  peer.greeting.offers_starttls = true;
  net::Certificate certificate;
  certificate.key = key;
  peer.certificates.chain.push_back(certificate);
  return peer;
}
net::MtqpPeer in_clear() {
  net::MtqpPeer peer;
  peer.greeting.positive = true;
  return peer;
}

TEST(JudgeTest, TellsWhatHasChanged) {  // MTQP-11-04, MTQP-11-05
  const KnownServer known{"mx.test:1038", "aa", kNow, kNow};
  EXPECT_EQ(judge(nullptr, in_clear()).kind, Judgement::Kind::fine);
  EXPECT_EQ(judge(nullptr, with_tls("aa")).kind, Judgement::Kind::fine);
  EXPECT_EQ(judge(&known, with_tls("aa")).kind, Judgement::Kind::fine);
  EXPECT_EQ(judge(&known, with_tls("bb")).kind, Judgement::Kind::new_key);
  EXPECT_EQ(judge(&known, in_clear()).kind, Judgement::Kind::downgrade);
}

TEST(KnownServerTest, KeepsItsForm) {
  const KnownServer server{"mx.test:1038", "aa", kNow, kNow + Seconds(1)};
  const std::string line = format_known_server(server);
  const Expected<KnownServer> again = parse_known_server(line);
  ASSERT_TRUE(again);
  EXPECT_EQ(format_known_server(*again), line);
  for (const char* bad : {"", "{}", "[]", "nonsense", R"({"server":"a","key":"b"})",
                          R"({"server":1,"key":"b","since":"x","seen":"y"})"}) {
    EXPECT_FALSE(parse_known_server(bad)) << bad;
  }
}

TEST(KnownServersTest, RemembersForTheUserAlone) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("state/servers.ndjson");
  {
    KnownServers servers(path);
    EXPECT_EQ(servers.find("mx.test:1038"), nullptr);
    servers.remember("MX.test:1038", with_tls("aa"), kNow);
    servers.remember("b.test:1038", with_tls("bb"), kNow);
    servers.remember("clear.test:1038", in_clear(), kNow);
  }
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  KnownServers servers(path);
  ASSERT_NE(servers.find("mx.test:1038"), nullptr);
  EXPECT_EQ(servers.find("mx.test:1038")->key, "aa");
  EXPECT_EQ(servers.find("clear.test:1038"), nullptr);
  // The same key later: seen again, known since then. Another key: since now.
  servers.remember("mx.test:1038", with_tls("aa"), kNow + std::chrono::days(2));
  EXPECT_EQ(servers.find("mx.test:1038")->since, kNow);
  EXPECT_EQ(servers.find("mx.test:1038")->seen, kNow + std::chrono::days(2));
  servers.remember("mx.test:1038", with_tls("cc"), kNow + std::chrono::days(3));
  EXPECT_EQ(servers.find("mx.test:1038")->since, kNow + std::chrono::days(3));
  EXPECT_EQ(KnownServers(path).find("b.test:1038")->key, "bb");
}

TEST(KnownServersTest, IsBounded) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("state/servers.ndjson");
  std::filesystem::create_directory(folder.file("state"));
  {
    std::ofstream out(path);
    for (std::size_t i = 0; i < KnownServers::kMaxServers; ++i) {
      out << format_known_server({"s" + std::to_string(i), "aa", kNow, kNow});
    }
  }
  std::filesystem::permissions(path, std::filesystem::perms(0600));
  KnownServers servers(path);
  servers.remember("new", with_tls("aa"), kNow);
  EXPECT_EQ(servers.find("s0"), nullptr);  // met longest ago
  EXPECT_NE(servers.find("s1"), nullptr);
  EXPECT_NE(servers.find("new"), nullptr);
}

TEST(KnownServersTest, DoesNotBelieveWhatOthersCouldWrite) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("servers.ndjson");
  std::ofstream(path) << "";
  std::filesystem::permissions(path, std::filesystem::perms(0622));
  EXPECT_THROW(KnownServers{path}, std::system_error);
  EXPECT_NO_THROW(KnownServers(""));
}

class TrustTest : public testing::Test {
 protected:
  TrustTest() { ::setenv("XDG_STATE_HOME", folder_.path().c_str(), 1); }
  ~TrustTest() override { ::unsetenv("XDG_STATE_HOME"); }

  struct Verdict {
    std::optional<std::string> refusal;
    std::string err;
  };
  Verdict approve(const net::MtqpPeer& peer) {
    testing::internal::CaptureStderr();
    std::optional<std::string> refusal = Trust(tls_).approve("mx.test:1038", peer);
    return {std::move(refusal), testing::internal::GetCapturedStderr()};
  }

  test::TemporaryFolder folder_;
  TlsOptions tls_;
};

TEST_F(TrustTest, ADowngradeGetsNoSecret) {  // MTQP-11-04
  EXPECT_FALSE(approve(in_clear()).refusal);
  EXPECT_FALSE(approve(with_tls("aa")).refusal);
  EXPECT_TRUE(approve(in_clear()).refusal);
  tls_.use = mtqp::TlsUse::never;
  const Verdict verdict = approve(in_clear());
  EXPECT_FALSE(verdict.refusal);
  EXPECT_NE(verdict.err.find("somebody may be listening"), std::string::npos);
  net::MtqpPeer offered = in_clear();
  offered.greeting.offers_starttls = true;  // nobody has taken it away: the user did not want it
  EXPECT_EQ(approve(offered).err, "");
}

TEST_F(TrustTest, AnotherKeyIsToldOnce) {  // MTQP-11-05
  EXPECT_EQ(approve(with_tls("aa")).err, "");
  EXPECT_NE(approve(with_tls("bb")).err.find("another certificate key"), std::string::npos);
  EXPECT_EQ(approve(with_tls("bb")).err, "");
}

}  // namespace
}  // namespace mtrk::cli

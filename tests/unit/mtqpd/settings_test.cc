#include "mtqpd/settings.h"

#include "mtqpd/listener.h"
#include "tests/support/certificate_files.h"
#include "tests/support/test_certificate.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace mtrk::mtqpd {
namespace {

class SettingsTest : public testing::Test {
 protected:
  std::string problem_with(const test::CertificateSpec& certificate) {
    test::write_certificate(certificate, folder_.file("cert.pem"), folder_.file("key.pem"));
    return check_settings(with_tls(), wall_clock());
  }
  Config with_tls() const {
    Config config;
    config.tls.certificate = folder_.file("cert.pem");
    config.tls.key = folder_.file("key.pem");
    return config;
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  test::TemporaryFolder folder_;
};

TEST_F(SettingsTest, DefaultsAreGood) {
  EXPECT_EQ(check_settings(Config(), wall_clock()), "");
  const auto settings = make_settings(Config(), wall_clock());
  EXPECT_EQ(settings->tls, nullptr);
  EXPECT_GE(settings->deadlines.idle, std::chrono::minutes(10));  // MTQP-2.5-02
}

TEST_F(SettingsTest, ChainingIsNotInThisRelease) {
  Config config;
  config.chaining.enabled = true;
  EXPECT_EQ(check_settings(config, wall_clock()),
            "chaining.enabled: chaining is not in this release");
}

TEST_F(SettingsTest, AddressesAreLiterals) {
  Config config;
  config.mtqpd.listen = {"localhost:1038"};
  EXPECT_TRUE(has(check_settings(config, wall_clock()), "localhost:1038"));
  config.mtqpd.listen = {"127.0.0.1:0", "[::1]:1038"};
  EXPECT_EQ(check_settings(config, wall_clock()), "");
  config.mtqpd.listen = {};
  EXPECT_TRUE(has(check_settings(config, wall_clock()), "no address"));
}

TEST_F(SettingsTest, RequiringTlsNeedsACertificate) {
  Config config;
  config.tls.require_for = {"*"};
  EXPECT_TRUE(has(check_settings(config, wall_clock()), "tls.require_for"));
}

TEST_F(SettingsTest, NamesWhatIsWrongWithTheCertificate) {  // MTQP-6-10
  EXPECT_EQ(problem_with({.names = {"mx.example2.com"}}), "");
  EXPECT_TRUE(has(problem_with({.names = {"a.b"}, .begins = -20, .ends = -10}), "expired"));
  EXPECT_TRUE(has(problem_with({.names = {"a.b"}, .begins = 10, .ends = 20}), "not valid before"));
  EXPECT_TRUE(has(problem_with({}), "dNSName"));
  const std::string missing = check_settings(
      [&] {
        Config config = with_tls();
        config.tls.certificate = folder_.file("nothing.pem");
        return config;
      }(),
      wall_clock());
  EXPECT_TRUE(has(missing, "nothing.pem"));
}

TEST_F(SettingsTest, KeyHasToFit) {
  test::write_certificate({.names = {"a.b"}}, folder_.file("cert.pem"), folder_.file("key.pem"));
  test::write_certificate({.names = {"a.b"}}, folder_.file("other.pem"), folder_.file("key.pem"));
  EXPECT_TRUE(has(check_settings(with_tls(), wall_clock()), "key.pem"));
  std::ofstream(folder_.file("key.pem")) << "garbage\n";
  EXPECT_TRUE(has(check_settings(with_tls(), wall_clock()), "key.pem"));
}

TEST_F(SettingsTest, NamesAreComparedInLowerCase) {
  Config config;
  config.tls.require_for = {"Example.COM"};
  EXPECT_EQ(make_settings(config, wall_clock())->tls_required_for->front(), "example.com");
}

TEST(ListenerTest, FormatsWhatItParses) {
  for (const char* text : {"127.0.0.1:1038", "[::]:1038", "[2001:db8::1]:0"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(format_endpoint(*endpoint), text);
  }
  for (const char* text : {"", "1038", "127.0.0.1", "::1:1038", "mx.example:1038", "1.2.3:1038"}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
}

TEST(ListenerTest, PortThatIsTakenIsAnError) {
  net::asio::io_context context;
  const net::Tcp::endpoint any(net::asio::ip::address_v4::loopback(), 0);
  const net::Acceptor first = open_listener(context, any, Sharing::threads);
  EXPECT_THROW(require_free(first.local_endpoint()), std::system_error);
  EXPECT_NO_THROW(
      static_cast<void>(open_listener(context, first.local_endpoint(), Sharing::threads)));
}

}  // namespace
}  // namespace mtrk::mtqpd

#include "mtqpd/server/settings.h"

#include "common/net/listener.h"
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
    return check_settings(with_tls());
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
  EXPECT_EQ(check_settings(Config()), "");
  EXPECT_EQ(Config().mtqpd.listen, std::vector<std::string>{"[::]:1038"});  // MTQP-2-01
  const auto settings = make_settings(Config());
  EXPECT_EQ(settings->tls, nullptr);
  EXPECT_GE(settings->deadlines.idle, std::chrono::minutes(10));  // MTQP-2.5-02
}

TEST_F(SettingsTest, ChainingIsOffUnlessConfigured) {
  Config config;
  EXPECT_EQ(make_settings(config)->chaining, nullptr);
  config.chaining.enabled = true;
  EXPECT_TRUE(has(check_settings(config), "chaining.domains"));
  config.chaining.domains = {"Example.TEST"};
  config.chaining.hops = "final";
  config.chaining.networks = {"10.0.0.0/8"};
  config.chaining.port = 11038;
  EXPECT_EQ(check_settings(config), "");
  const auto settings = make_settings(config);
  ASSERT_NE(settings->chaining, nullptr);
  const ChainingOptions& options = settings->chaining->options();
  EXPECT_EQ(options.rules.domains, std::vector<std::string>{"example.test"});
  EXPECT_FALSE(options.rules.forwarded);
  EXPECT_EQ(options.hops, ChainingOptions::Hops::final);
  EXPECT_EQ(options.networks.size(), 1U);
  EXPECT_EQ(options.port, 11038);
}

TEST_F(SettingsTest, ChainingFindsOutAtTheStartWhatItCannotUse) {
  Config config;
  config.chaining.enabled = true;
  config.chaining.domains = {"*"};
  config.chaining.ca_file = folder_.file("missing.pem");
  EXPECT_TRUE(has(check_settings(config), "missing.pem"));
  config.chaining.ca_file.clear();
  config.chaining.dns = "ns.example.test";
  EXPECT_TRUE(has(check_settings(config), "chaining.dns"));
}

TEST_F(SettingsTest, AddressesAreLiterals) {
  Config config;
  config.mtqpd.listen = {"localhost:1038"};
  EXPECT_TRUE(has(check_settings(config), "localhost:1038"));
  config.mtqpd.listen = {"127.0.0.1:0", "[::1]:1038"};
  EXPECT_EQ(check_settings(config), "");
  config.mtqpd.listen = {};
  EXPECT_TRUE(has(check_settings(config), "no address"));
}

TEST_F(SettingsTest, RequiringTlsNeedsACertificate) {
  Config config;
  config.tls.require_for = {"*"};
  EXPECT_TRUE(has(check_settings(config), "tls.require_for"));
}

TEST_F(SettingsTest, NamesWhatIsWrongWithTheCertificate) {  // MTQP-6-10
  EXPECT_EQ(problem_with({.names = {"mx.example2.com"}}), "");
  EXPECT_TRUE(has(problem_with({}), "dNSName"));
  const std::string missing = check_settings([&] {
    Config config = with_tls();
    config.tls.certificate = folder_.file("nothing.pem");
    return config;
  }());
  EXPECT_TRUE(has(missing, "nothing.pem"));
}

TEST_F(SettingsTest, WarnsOfCertificatesThatAreNotValidForLong) {  // MTQP-6-10
  const auto warning = [&](long begins, long ends, const std::string& hostname) {
    test::write_certificate({{"mx.example2.com"}, begins, ends}, folder_.file("cert.pem"),
                            folder_.file("key.pem"));
    EXPECT_EQ(check_settings(with_tls()), "");
    std::string text;
    for (const std::string& line :
         settings_warnings(*make_settings(with_tls()), hostname, wall_clock())) {
      text += line + '\n';
    }
    return text;
  };
  constexpr long kDay = 86400;
  EXPECT_EQ(warning(-10, 30 * kDay, ""), "");
  EXPECT_EQ(warning(-10, 30 * kDay, "MX.example2.com"), "");
  EXPECT_TRUE(has(warning(-20, -10, ""), "cert.pem: the certificate expired at 2"));
  EXPECT_TRUE(has(warning(100, 2000, ""), "cert.pem: the certificate is not valid before 2"));
  EXPECT_TRUE(has(warning(-10, 13 * kDay, ""), "cert.pem: the certificate expires at 2"));
  EXPECT_TRUE(has(warning(-10, 30 * kDay, "other.example"), "no certificate is for other.example"));
  EXPECT_TRUE(settings_warnings(*make_settings(Config()), "mx.example2.com", wall_clock()).empty());
}

TEST_F(SettingsTest, ListsAllCertificates) {  // MTQP-6-07
  Config config;
  for (const char* name : {"a", "b", "c"}) {
    const std::string file = folder_.file(name);
    test::write_certificate({.names = {std::string(name) + ".example"}}, file, file + ".key");
    config.tls.certificates.push_back({file, file + ".key"});
  }
  EXPECT_EQ(check_settings(config), "");
  const auto settings = make_settings(config);
  EXPECT_EQ(settings->tls->names(),
            (std::vector<std::string>{"a.example", "b.example", "c.example"}));
  config.tls.certificates.push_back({folder_.file("a"), folder_.file("b.key")});
  EXPECT_TRUE(has(check_settings(config), "b.key"));
}

TEST_F(SettingsTest, LimitsAreThoseOfTheConfiguration) {
  Config config;
  config.mtqpd.max_connections = 7;
  config.mtqpd.max_connections_per_address = 3;
  config.mtqpd.misses_per_minute = 9;
  config.mtqpd.trusted = {"192.0.2.0/24"};
  const auto settings = make_settings(config);
  EXPECT_EQ(settings->limits.connections, 7U);
  EXPECT_EQ(settings->limits.connections_per_source, 3U);
  EXPECT_EQ(settings->limits.misses_per_minute, 9U);
  EXPECT_EQ(settings->limits.trusted.size(), 1U);
}

TEST_F(SettingsTest, KeyHasToFit) {
  test::write_certificate({.names = {"a.b"}}, folder_.file("cert.pem"), folder_.file("key.pem"));
  test::write_certificate({.names = {"a.b"}}, folder_.file("other.pem"), folder_.file("key.pem"));
  EXPECT_TRUE(has(check_settings(with_tls()), "key.pem"));
  std::ofstream(folder_.file("key.pem")) << "garbage\n";
  EXPECT_TRUE(has(check_settings(with_tls()), "key.pem"));
}

TEST_F(SettingsTest, NamesAreComparedInLowerCase) {
  Config config;
  config.tls.require_for = {"Example.COM"};
  EXPECT_EQ(make_settings(config)->tls_required_for->front(), "example.com");
}

TEST(ListenerTest, FormatsWhatItParses) {
  for (const char* text : {"127.0.0.1:1038", "[::]:1038", "[2001:db8::1]:0"}) {
    const auto endpoint = net::parse_endpoint(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(net::format_endpoint(*endpoint), text);
  }
  for (const char* text : {"", "1038", "127.0.0.1", "::1:1038", "mx.example:1038", "1.2.3:1038"}) {
    EXPECT_FALSE(net::parse_endpoint(text)) << text;
  }
}

TEST(ListenerTest, PortThatIsTakenIsAnError) {
  net::asio::io_context context;
  const net::Tcp::endpoint any(net::asio::ip::address_v4::loopback(), 0);
  const net::Acceptor first = net::open_listener(context, any, net::Sharing::threads);
  EXPECT_THROW(net::require_free(first.local_endpoint()), std::system_error);
  EXPECT_NO_THROW(static_cast<void>(
      net::open_listener(context, first.local_endpoint(), net::Sharing::threads)));
}

}  // namespace
}  // namespace mtrk::mtqpd

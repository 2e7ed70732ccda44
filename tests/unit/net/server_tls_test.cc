#include "common/net/ticket_keys.h"
#include "common/net/tls.h"
#include "tests/support/certificate_files.h"
#include "tests/support/test_certificate.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <string>
#include <vector>

namespace mtrk::net {
namespace {

using Match = ServerTls::Match;

TimePoint now() {
  return std::chrono::floor<Seconds>(std::chrono::system_clock::now());
}

class ServerTlsTest : public testing::Test {
 protected:
  void add(const test::CertificateSpec& certificate) {
    const std::string base = folder_.file(std::to_string(files_.size()));
    files_.push_back({base + ".pem", base + ".key"});
    test::write_certificate(certificate, files_.back().certificate, files_.back().key);
  }
  // The first name of the certificate that is shown for `domain`; "-" or "expired" if none is.
  std::string shown_for(const std::string& domain) {
    const ServerTls tls(files_);
    const ServerTls::Choice choice = tls.choose(domain, now());
    if (choice.context == nullptr) {
      return choice.match == Match::expired ? "expired" : "-";
    }
    X509* x509 = SSL_CTX_get0_certificate(choice.context->native_handle());
    for (const std::string& name : tls.names()) {
      const std::string plain = name.starts_with("*.") ? "w" + name.substr(1) : name;
      if (X509_check_host(x509, plain.data(), plain.size(), 0, nullptr) == 1) {
        return name;
      }
    }
    return "?";
  }

  test::TemporaryFolder folder_;
  std::vector<ServerTls::Files> files_;
};

TEST_F(ServerTlsTest, ChoosesByName) {  // MTQP-6-07, MTQP-6-12
  add({.names = {"a.example", "also-a.example"}});
  add({.names = {"b.example"}});
  add({.names = {"*.wild.example"}});
  const struct {
    const char* domain;
    const char* shown;
  } rows[] = {
      {"a.example", "a.example"},
      {"also-a.example", "a.example"},
      {"B.EXAMPLE", "b.example"},
      {"mx.wild.example", "*.wild.example"},
      {"MX2.wild.example", "*.wild.example"},
      {"wild.example", "-"},      // the star is one label
      {"a.b.wild.example", "-"},  // and not two
      {"subject.example", "-"},   // the common name does not count
      {"example", "-"},
      {"a.example.", "-"},
      {"", "-"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(shown_for(row.domain), row.shown) << row.domain;
  }
}

TEST_F(ServerTlsTest, NamesOfOtherScriptsAreALabels) {  // MTQP-6-12
  add({.names = {"xn--bcher-kva.example"}});
  add({.names = {"*.xn--hxajbheg2az3al.example"}});
  EXPECT_EQ(shown_for("XN--BCHER-KVA.example"), "xn--bcher-kva.example");
  EXPECT_EQ(shown_for("xn--mgba.xn--hxajbheg2az3al.example"), "*.xn--hxajbheg2az3al.example");
  EXPECT_EQ(shown_for("b\xc3\xbc"
                      "cher.example"),
            "-");
}

TEST_F(ServerTlsTest, StarIsAWholeLabelAtTheFront) {  // MTQP-6-12
  add({.names = {"mx*.example.com"}});
  add({.names = {"mx.*.example.com"}});
  EXPECT_EQ(shown_for("mx1.example.com"), "-");
  EXPECT_EQ(shown_for("mx.a.example.com"), "-");
}

TEST_F(ServerTlsTest, TheFirstThatIsValidIsShown) {  // MTQP-6-10
  add({.names = {"old.example", "mx.example"}, .begins = -20, .ends = -10});
  EXPECT_EQ(shown_for("mx.example"), "expired");
  EXPECT_EQ(shown_for("other.example"), "-");
  add({.names = {"early.example", "mx.example"}, .begins = 1000, .ends = 2000});
  EXPECT_EQ(shown_for("mx.example"), "expired");
  add({.names = {"good.example", "mx.example"}});
  EXPECT_EQ(shown_for("mx.example"), "mx.example");
  EXPECT_EQ(shown_for("old.example"), "expired");
  EXPECT_EQ(ServerTls(files_).warnings(now()).size(), 3U);  // the good one ends in an hour
}

TEST_F(ServerTlsTest, SaysWhatCannotBeUsed) {  // MTQP-6-10
  EXPECT_THROW(ServerTls{std::vector<ServerTls::Files>()}, TlsError);
  add({});  // no dNSName
  EXPECT_THROW(ServerTls{files_}, TlsError);
  files_.clear();
  add({.names = {"a.example"}});
  add({.names = {"b.example"}});
  std::swap(files_[0].key, files_[1].key);
  EXPECT_THROW(ServerTls{files_}, TlsError);
  files_ = {{folder_.file("none.pem"), folder_.file("none.key")}};
  EXPECT_THROW(ServerTls{files_}, TlsError);
}

TEST_F(ServerTlsTest, NothingWeakIsOffered) {  // THR-S10, UPD-8996-01, UPD-8996-02
  add({.names = {"a.example"}});
  const ServerTls tls(files_);
  SSL_CTX* context = tls.implicit().native_handle();
  EXPECT_GE(SSL_CTX_get_min_proto_version(context), TLS1_2_VERSION);
  EXPECT_NE(SSL_CTX_get_options(context) & SSL_OP_NO_RENEGOTIATION, 0U);
  const STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(context);
  ASSERT_GT(sk_SSL_CIPHER_num(ciphers), 0);
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(ciphers, i);
    EXPECT_EQ(SSL_CIPHER_is_aead(cipher), 1) << SSL_CIPHER_get_name(cipher);
    EXPECT_GE(SSL_CIPHER_get_bits(cipher, nullptr), 128) << SSL_CIPHER_get_name(cipher);
  }
}

TEST(TicketKeysTest, SealForAnHourAndOpenForTwo) {
  TicketKeys keys;
  const TicketKeys::Clock::time_point start{std::chrono::hours(1000)};
  const TicketKeys::Key first = keys.sealing(start).value();
  EXPECT_EQ(keys.sealing(start + std::chrono::minutes(59))->name, first.name);
  EXPECT_TRUE(keys.opening(first.name.data(), start + std::chrono::minutes(59)));
  const TicketKeys::Key second = keys.sealing(start + std::chrono::minutes(60)).value();
  EXPECT_NE(second.name, first.name);
  EXPECT_NE(second.cipher, first.cipher);
  EXPECT_NE(second.mac, first.mac);
  EXPECT_TRUE(keys.opening(first.name.data(), start + std::chrono::minutes(119)));
  EXPECT_FALSE(keys.opening(first.name.data(), start + std::chrono::minutes(120)));
  EXPECT_TRUE(keys.opening(second.name.data(), start + std::chrono::minutes(120)));
  static_cast<void>(keys.sealing(start + std::chrono::minutes(121)));
  static_cast<void>(keys.sealing(start + std::chrono::minutes(190)));
  EXPECT_FALSE(keys.opening(first.name.data(), start + std::chrono::minutes(61)));  // gone
  const std::array<unsigned char, 16> unknown{};
  EXPECT_FALSE(keys.opening(unknown.data(), start));
}

}  // namespace
}  // namespace mtrk::net

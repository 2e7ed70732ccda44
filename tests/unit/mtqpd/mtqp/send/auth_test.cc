#include "mtqpd/mtqp/send/auth.h"

#include "common/track/base64.h"
#include "mtqpd/mtqp/send/credentials.h"
#include "mtqpd/mtqp/send/scram.h"
#include "tests/support/test_certificate.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace mtrk::cli {
namespace {

std::string base64(const std::string& text) {
  return encode_base64(text, Padding::with);
}

// The example of RFC 7677 §3.
constexpr char kNonce[] = "rOprNGfwEbeRWgbNEkqO";
constexpr char kServerFirst[] =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr char kClientFinal[] =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr char kServerFinal[] = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

TEST(ScramTest, SpeaksTheExampleOfRfc7677) {
  ScramClient client("user", "pencil", kNonce);
  EXPECT_EQ(client.first(), std::string("n,,n=user,r=") + kNonce);
  const Expected<std::string> final = client.final(kServerFirst);
  ASSERT_TRUE(final) << final.error().detail;
  EXPECT_EQ(*final, kClientFinal);
  EXPECT_FALSE(client.verified());
  EXPECT_TRUE(client.verify(kServerFinal));
}

TEST(ScramTest, EscapesNames) {
  EXPECT_EQ(ScramClient("a=b,c", "x", "n").first(), "n,,n=a=3Db=2Cc,r=n");
}

TEST(ScramTest, RefusesServersThatAreNotOurs) {
  for (const char* first : {
           "",
           "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
           "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",       // nothing added
           "m=x,r=rOprNGfwEbeRWgbNEkqO1,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",  // an extension
           "r=rOprNGfwEbeRWgbNEkqO1,s=!,i=4096",
           "r=rOprNGfwEbeRWgbNEkqO1,s=,i=4096",
           "r=rOprNGfwEbeRWgbNEkqO1,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1",
           "r=rOprNGfwEbeRWgbNEkqO1,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4000000000",
           "r=rOprNGfwEbeRWgbNEkqO1,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-1",
       }) {
    ScramClient client("user", "pencil", kNonce);
    EXPECT_FALSE(client.final(first)) << first;
    EXPECT_FALSE(client.verify(kServerFinal)) << first;
  }
  ScramClient client("user", "pencil", kNonce);
  ASSERT_TRUE(client.final(kServerFirst));
  for (const char* last : {"", "v=", "e=invalid-proof", "v=AAAA"}) {
    EXPECT_FALSE(client.verify(last)) << last;
  }
}

TEST(AuthTest, ReadsWhatIsOffered) {
  const smtp::Reply reply{250, {"mx", "AUTH plain LOGIN", "AUTH=OLD", "AUTHX NO", "SIZE"}};
  EXPECT_EQ(auth_mechanisms(reply), (std::vector<std::string>{"PLAIN", "LOGIN", "OLD"}));
}

TEST(AuthTest, PasswordsNeedTls) {
  EXPECT_EQ(choose_mechanism({"LOGIN", "PLAIN"}, true), Mechanism::plain);
  EXPECT_EQ(choose_mechanism({"LOGIN"}, true), Mechanism::login);
  EXPECT_EQ(choose_mechanism({"PLAIN", "SCRAM-SHA-256"}, true), Mechanism::scram_sha_256);
  EXPECT_EQ(choose_mechanism({"PLAIN", "LOGIN"}, false), std::nullopt);
  EXPECT_EQ(choose_mechanism({"SCRAM-SHA-256"}, false), Mechanism::scram_sha_256);
  EXPECT_EQ(choose_mechanism({"CRAM-MD5", "XOAUTH2"}, true), std::nullopt);
}

TEST(AuthTest, PlainIsOneLine) {
  const Credentials credentials("ann", "pass word");
  AuthExchange exchange(Mechanism::plain, credentials, "n");
  EXPECT_EQ(exchange.command(), "AUTH PLAIN " + base64(std::string("\0ann\0pass word", 14)));
  EXPECT_FALSE(exchange.answer(""));
  EXPECT_TRUE(exchange.complete());
}

TEST(AuthTest, LoginAnswersTwice) {
  const Credentials credentials("ann", "pass");
  AuthExchange exchange(Mechanism::login, credentials, "n");
  EXPECT_EQ(exchange.command(), "AUTH LOGIN");
  EXPECT_EQ(exchange.answer("VXNlcm5hbWU6"), base64("ann"));
  EXPECT_EQ(exchange.answer("whatever"), base64("pass"));
  EXPECT_FALSE(exchange.answer("more"));
}

TEST(AuthTest, ScramWantsTheServersProof) {
  const Credentials credentials("user", "pencil");
  AuthExchange exchange(Mechanism::scram_sha_256, credentials, kNonce);
  EXPECT_EQ(exchange.command(),
            "AUTH SCRAM-SHA-256 " + base64(std::string("n,,n=user,r=") + kNonce));
  EXPECT_EQ(exchange.answer(base64(kServerFirst)), base64(kClientFinal));
  EXPECT_FALSE(exchange.complete());
  EXPECT_EQ(exchange.answer(base64(kServerFinal)), "");
  EXPECT_TRUE(exchange.complete());
  AuthExchange fooled(Mechanism::scram_sha_256, credentials, kNonce);
  ASSERT_TRUE(fooled.answer(base64(kServerFirst)));
  EXPECT_FALSE(fooled.answer(base64("v=AAAA")));
  EXPECT_FALSE(fooled.complete());
  AuthExchange rubbish(Mechanism::scram_sha_256, credentials, kNonce);
  EXPECT_FALSE(rubbish.answer("!!"));
}

TEST(NetrcTest, FindsThePasswordOfHostAndUser) {
  const char* text =
      "# mail\n"
      "machine a.test login ann password one\n"
      "machine b.test\n  login ann\n  password \"two \\\"words\\\"\"\n"
      "machine b.test login bob account x password three\n"
      "macdef init\nmachine a.test login eve password no\n\n"
      "default login guest password four\n";
  EXPECT_EQ(find_in_netrc(text, "A.test", "ann"), "one");
  EXPECT_EQ(find_in_netrc(text, "b.test", "ann"), "two \"words\"");
  EXPECT_EQ(find_in_netrc(text, "b.test", "bob"), "three");
  EXPECT_EQ(find_in_netrc(text, "a.test", "eve"), std::nullopt);
  EXPECT_EQ(find_in_netrc(text, "c.test", "guest"), "four");
  EXPECT_EQ(find_in_netrc(text, "c.test", "ann"), std::nullopt);
  for (const char* broken : {"", "machine", "password", "machine a.test login \"ann", "\"", "\\"}) {
    EXPECT_EQ(find_in_netrc(broken, "a.test", "ann"), std::nullopt) << broken;
  }
}

TEST(CredentialsTest, ComeFromFileEnvironmentOrNetrc) {
  const test::TemporaryFolder folder;
  ::setenv("HOME", folder.path().c_str(), 1);
  ::unsetenv("MTQP_SMTP_PASSWORD");
  EXPECT_FALSE(read_credentials("ann", "a.test", ""));
  std::ofstream(folder.file(".netrc")) << "machine a.test login ann password n\n";
  EXPECT_THROW(static_cast<void>(read_credentials("ann", "a.test", "")), std::system_error);
  std::filesystem::permissions(folder.file(".netrc"), std::filesystem::perms(0600));
  EXPECT_EQ(read_credentials("ann", "a.test", "")->password, "n");
  ::setenv("MTQP_SMTP_PASSWORD", "e", 1);
  EXPECT_EQ(read_credentials("ann", "a.test", "")->password, "e");
  EXPECT_EQ(std::getenv("MTQP_SMTP_PASSWORD"), nullptr);
  std::ofstream(folder.file("p")) << " f \r\nsecond\n";
  EXPECT_EQ(read_credentials("ann", "a.test", folder.file("p"))->password, " f ");
  EXPECT_FALSE(read_credentials("ann", "a.test", folder.file("none")));
}

}  // namespace
}  // namespace mtrk::cli

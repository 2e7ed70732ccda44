#include "common/config/config.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk {
namespace {

std::string problem_of(const std::string& text) {
  const Expected<Config> config = parse_config(text, "f");
  return config ? std::string() : config.error().detail;
}

TEST(CertificatesTest, AreTablesOfTheirOwnOrInOneLine) {
  for (const char* text : {"[[tls.certificates]]\n"
                           "certificate = \"/a.pem\"\n"
                           "key = \"/a.key\"\n"
                           "[[tls.certificates]]\n"
                           "certificate = \"/b.pem\"\n"
                           "key = \"/b.key\"\n",
                           "tls.certificates = [{certificate = \"/a.pem\", key = \"/a.key\"}, "
                           "{certificate = \"/b.pem\", key = \"/b.key\"}]\n"}) {
    const Expected<Config> config = parse_config(text, "f");
    ASSERT_TRUE(config) << config.error().detail;
    ASSERT_EQ(config->tls.certificates.size(), 2U);
    EXPECT_EQ(config->tls.certificates[0].certificate, "/a.pem");
    EXPECT_EQ(config->tls.certificates[1].key, "/b.key");
    EXPECT_EQ(print_config(*config, Show::changed),
              "tls.certificates = [{certificate = \"/a.pem\", key = \"/a.key\"}, "
              "{certificate = \"/b.pem\", key = \"/b.key\"}]\n");
  }
}

TEST(CertificatesTest, EachNeedsBothFiles) {
  const struct {
    const char* text;
    const char* part;
  } rows[] = {
      {"[[tls.certificates]]\ncertificate = \"/a\"\n", "both are needed"},
      {"[[tls.certificates]]\nkey = \"/a\"\n", "both are needed"},
      {"[[tls.certificates]]\ncertificate = \"a\"\nkey = \"/a\"\n", "f:2:15: tls.certificates"},
      {"[[tls.certificates]]\ncertificate = 1\nkey = \"/a\"\n", "f:2:15: "},
      {"[[tls.certificates]]\ncert = \"/a\"\nkey = \"/a\"\n", "f:2:1: unknown key \"cert\""},
      {"tls.certificates = [\"/a\"]\n", "f:1:21: tls.certificates"},
      {"tls.certificates = \"/a\"\n", "f:1:20: tls.certificates"},
      {"[tls.certificates]\ncertificate = \"/a\"\n", "tls.certificates"},
  };
  for (const auto& row : rows) {
    EXPECT_NE(problem_of(row.text).find(row.part), std::string::npos)
        << row.text << problem_of(row.text);
  }
}

TEST(CertificatesTest, SufficeForTheTlsListener) {
  EXPECT_EQ(problem_of("[mtqpd]\nlisten_tls = [\"[::]:1039\"]\n[[tls.certificates]]\n"
                       "certificate = \"/a\"\nkey = \"/b\"\n"),
            "");
  EXPECT_NE(problem_of("[mtqpd]\nlisten_tls = [\"[::]:1039\"]\n"), "");
}

TEST(ServerKeysTest, AreChecked) {
  EXPECT_NE(problem_of("tls.minimum = \"1.1\"\n"), "");
  EXPECT_EQ(problem_of("tls.minimum = \"1.3\"\n"), "");
  EXPECT_NE(problem_of("mtqpd.trusted = [\"192.0.2.1/24\"]\n"), "");
  EXPECT_EQ(problem_of("mtqpd.trusted = [\"192.0.2.0/24\", \"::1\"]\n"), "");
  EXPECT_NE(problem_of("mtqpd.metrics = \"192.0.2.1:9138\"\n"), "");
  EXPECT_NE(problem_of("mtqpd.metrics = \"127.0.0.1.example:9138\"\n"), "");
  EXPECT_EQ(problem_of("mtqpd.metrics = \"127.0.0.1:0\"\n"), "");
  EXPECT_EQ(problem_of("mtqpd.metrics = \"[::1]:9138\"\n"), "");
  EXPECT_NE(problem_of("mtqpd.stats_file = \"stats\"\n"), "");
  EXPECT_EQ(problem_of("mtqpd.stats_file = \"\"\n"), "");
}

}  // namespace
}  // namespace mtrk

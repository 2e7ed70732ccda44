#include "common/config/config.h"
#include "common/config/option_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace mtrk {
namespace {

std::filesystem::path contrib(const std::string& file) {
  return std::filesystem::path(MTRK_TEST_DATA).parent_path().parent_path() / "contrib" / file;
}

std::string contents_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Takes the "#" off every `#key = value` line; comments have a blank behind theirs.
std::string with_defaults_set(const std::string& sample) {
  std::istringstream in(sample);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    const bool is_default = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    out += line.substr(is_default ? 1 : 0) + '\n';
  }
  return out;
}

TEST(PrintConfigTest, TheSampleFileIsTheDefaults) {
  if (std::getenv("MTRK_WRITE_SAMPLE") != nullptr) {  // for whoever changed the option table
    std::ofstream(contrib("mtrk.conf"), std::ios::binary) << print_default_config();
  }
  EXPECT_TRUE(contents_of(contrib("mtrk.conf")) == print_default_config())
      << "write contrib/mtrk.conf anew: run this test with MTRK_WRITE_SAMPLE=1";
}

TEST(PrintConfigTest, TheSampleReadsAsTheDefaultsWithItsLinesOnOrOff) {
  const std::string sample = print_default_config();
  const std::string all = print_config(Config{}, Show::all);
  for (const std::string& text : {sample, with_defaults_set(sample)}) {
    const Expected<Config> config = parse_config(text, "sample");
    ASSERT_TRUE(config.has_value()) << config.error().detail;
    EXPECT_EQ(print_config(*config, Show::all), all);
  }
}

TEST(PrintConfigTest, EveryExampleOfTheSampleIsValid) {
  for (const ConfigOption& option : config_options()) {
    std::string text = full_name(option) + " = " + std::string(option.example) + '\n';
    if (option.section == "tls" || option.key == "listen_tls") {  // these come together
      text = "tls.certificate = \"/c\"\ntls.key = \"/k\"\n" +
             (option.key == "certificate" || option.key == "key" ? std::string() : text);
    }
    if (option.key == "leave_fold") {
      text += "gate.outbound.listen = [\"127.0.0.1:10023\"]\n";
    }
    const Expected<Config> config = parse_config(text, "example");
    ASSERT_TRUE(config.has_value()) << config.error().detail;
    EXPECT_NE(print_config(*config, Show::changed), "") << text;
  }
}

TEST(PrintConfigTest, ShowsWhatDiffersInTomlSpelling) {
  Config config;
  config.hostname = "mx.example.test";
  config.store.path = "/a\"b\\c\x01";
  config.store.max_size = 1536U << 20;
  config.milter.commit_wait = Milliseconds(1500);
  config.privacy.forwarding = Forwarding::reveal;
  config.mtqpd.listen = {"[::1]:1038", "127.0.0.1:1038"};
  EXPECT_EQ(print_config(config, Show::changed),
            "hostname = \"mx.example.test\"\n"
            "store.path = \"/a\\\"b\\\\c\\u0001\"\n"
            "store.max_size = \"1536MiB\"\n"
            "milter.commit_wait = \"1s500ms\"\n"
            "privacy.forwarding = \"reveal\"\n"
            "mtqpd.listen = [\"[::1]:1038\", \"127.0.0.1:1038\"]\n");
  EXPECT_EQ(print_config(config, Show::defaults), print_config(Config{}, Show::all));
}

TEST(PrintConfigTest, WhatIsPrintedReadsBack) {
  Config config;
  config.retention.maximum = Seconds(86400 * 400);
  config.log.mta = Mta::sendmail;
  config.log.filters = {};
  config.tls = {"/c.pem", "/k.pem", {{"/d.pem", "/d.key"}}, "1.3", {"*"}};
  const std::string printed = print_config(config, Show::changed);
  const Expected<Config> back = parse_config(printed, "f");
  ASSERT_TRUE(back.has_value()) << back.error().detail;
  EXPECT_EQ(print_config(*back, Show::all), print_config(config, Show::all));
}

}  // namespace
}  // namespace mtrk

#include "common/config/program_options.h"

#include "common/base/exit_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace mtrk {
namespace {

class ProgramOptionsTest : public ::testing::Test {
 protected:
  ProgramOptionsTest() {
    std::string name = ::testing::TempDir() + "mtrk-config-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~ProgramOptionsTest() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    std::string path = folder_ + '/' + name;
    std::ofstream(path) << text;
    return path;
  }

  std::string folder_;
};

TEST_F(ProgramOptionsTest, AMissingDefaultFileMeansDefaults) {
  const Expected<Config> config = load_program_config(std::nullopt, folder_ + "/none/mtrk.conf");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(print_config(*config, Show::changed), "");
}

TEST_F(ProgramOptionsTest, AMissingNamedFileIsAnError) {
  const std::string path = folder_ + "/none.conf";
  const Expected<Config> config = load_program_config(path, path);
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().detail, path + ": cannot read: No such file or directory");
}

TEST_F(ProgramOptionsTest, AFolderIsNoConfiguration) {
  EXPECT_EQ(load_config(folder_).error().detail, folder_ + ": cannot read: Is a directory");
}

TEST_F(ProgramOptionsTest, AnEndlessFileIsNoConfiguration) {
  EXPECT_EQ(load_config("/dev/zero").error().detail,
            "/dev/zero: cannot read: more than 1 MiB is no configuration");
}

TEST_F(ProgramOptionsTest, ADefaultFileThatIsThereIsRead) {
  const std::string path = write("mtrk.conf", "hostname = \"mx.example.test\"\n");
  const Expected<Config> config = load_program_config(std::nullopt, path);
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->hostname, "mx.example.test");
}

TEST_F(ProgramOptionsTest, ABadFileEndsTheProgramWith78AndItsPlace) {
  ProgramOptions options;
  options.config_path = write("mtrk.conf", "[milter]\nscoket = 1\n");
  Config config;
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(prepare_config("mtqpd", options, nullptr, config), exit_code::config);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            *options.config_path +
                ":2:1: unknown key \"scoket\" in [milter]; did you mean \"socket\"?\n");
}

TEST_F(ProgramOptionsTest, WhatAProgramCannotDoEndsItWith78) {
  ProgramOptions options;
  options.config_path = write("mtrk.conf", "[chaining]\nenabled = true\n");
  Config config;
  const ConfigCheck check = [](const Config& c) {
    return c.chaining.enabled ? "chaining.enabled is not supported by this release" : "";
  };
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(prepare_config("mtqpd", options, check, config), exit_code::config);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            *options.config_path + ": mtqpd: chaining.enabled is not supported by this release\n");
}

TEST_F(ProgramOptionsTest, CheckConfigIsSilentIfAllIsWell) {
  ProgramOptions options;
  options.config_path = write("mtrk.conf", "hostname = \"mx.example.test\"\n");
  options.check_config = true;
  Config config;
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(prepare_config("mtqpd", options, nullptr, config), exit_code::ok);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  options.check_config = false;
  EXPECT_EQ(prepare_config("mtqpd", options, nullptr, config), std::nullopt);
  EXPECT_EQ(config.hostname, "mx.example.test");
}

TEST_F(ProgramOptionsTest, VersionNamesTheProgram) {
  EXPECT_THAT(version_line("mtqpd"), ::testing::MatchesRegex("mtqpd [0-9]+\\.[0-9]+\\.[0-9]+"));
}

}  // namespace
}  // namespace mtrk

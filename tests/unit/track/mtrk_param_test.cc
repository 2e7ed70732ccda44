#include "common/track/mtrk_param.h"

#include <gtest/gtest.h>

namespace mtrk {
namespace {

constexpr std::string_view kCertifier = "QlrxKgdDUCsyLpOgFbz4aOMk1Wo";
constexpr std::string_view kWithPlus = "UuDp1PRsl8pbywcI0YYzaY1g+l8";

struct Case {
  std::string_view timeout;
  std::optional<int> want;
};

TEST(MtrkParamTest, TakesOneToNineDigits) {  // ABNF-01, ABNF-03, MTRK-3.1-22, A-7
  for (const Case& c : {Case{"0", 0}, Case{"60", 60}, Case{"000000060", 60}, Case{"000000001", 1},
                        Case{"999999999", 999999999}}) {
    const Expected<MtrkParam> param =
        parse_mtrk_param(std::string(kCertifier).append(":").append(c.timeout));
    ASSERT_TRUE(param) << c.timeout;
    EXPECT_EQ(param->timeout, Seconds(*c.want));
  }
  EXPECT_EQ(parse_mtrk_param(kCertifier)->timeout, std::nullopt);
  EXPECT_EQ(parse_mtrk_param(kCertifier)->certifier.to_base64(), kCertifier);
}

TEST(MtrkParamTest, RefusesOtherTimeouts) {  // MTRK-3.1-22
  for (const std::string_view timeout :
       {":", ":-1", ":+1", ":1e3", ":1234567890", ":1:2", ": 1", ":1 ", "::1", ":0x1"}) {
    EXPECT_FALSE(parse_mtrk_param(std::string(kCertifier).append(timeout))) << timeout;
  }
  for (const std::string_view value : {"", ":60", "ab!c", "=", "==:1"}) {
    EXPECT_FALSE(parse_mtrk_param(value)) << value;
  }
}

TEST(MtrkParamTest, FormatsWithoutPad) {
  EXPECT_EQ(format_mtrk_param(*parse_mtrk_param(std::string(kCertifier) + "=:000060")),
            std::string(kCertifier) + ":60");
  EXPECT_EQ(format_mtrk_param(*parse_mtrk_param(kCertifier)), kCertifier);
}

TEST(MtrkParamTest, TimeoutRunsDownWhileTheMessageLingers) {  // MTRK-3.1-19 to MTRK-3.1-21, A-7
  EXPECT_EQ(remaining_after(Seconds(1000), Seconds(60)), Seconds(940));
  EXPECT_EQ(remaining_after(Seconds(60), Seconds(61)), std::nullopt);
  EXPECT_EQ(remaining_after(Seconds(60), Seconds(60)), std::nullopt);
  EXPECT_EQ(remaining_after(Seconds(60), Seconds(59)), Seconds(1));
  EXPECT_EQ(remaining_after(Seconds(0), Seconds(0)), std::nullopt);
  EXPECT_EQ(remaining_after(Seconds(60), Seconds(-5)), Seconds(60));
}

TEST(FoldTest, FoldsAndUnfolds) {
  const MtrkParam param = *parse_mtrk_param(std::string(kWithPlus) + ":60");
  const std::string envid = fold_envid("a+2Bb@h", param);
  EXPECT_EQ(envid, "a+2Bb@h;MTRK:UuDp1PRsl8pbywcI0YYzaY1g+2Bl8:60");
  const FoldedEnvid split = split_folded_envid(envid);
  EXPECT_EQ(split.plain, "a+2Bb@h");
  const Expected<MtrkParam> back = parse_folded_mtrk(*split.folded);
  EXPECT_EQ(back->certifier, param.certifier);
  EXPECT_EQ(back->timeout, param.timeout);
}

TEST(FoldTest, SplitsAtTheLastMarkerInAnyCase) {
  const FoldedEnvid split = split_folded_envid("a;MTRK:b@h;mTrK:rest");
  EXPECT_EQ(split.plain, "a;MTRK:b@h");
  EXPECT_EQ(split.folded, "rest");
  EXPECT_EQ(split_folded_envid(";MTRK:").plain, "");
  EXPECT_EQ(split_folded_envid(";MTRK:").folded, "");
  for (const std::string_view plain : {"", "a@h", ";MTRK", "a@hMTRK:x", "a@h;MTR:x", ";"}) {
    EXPECT_EQ(split_folded_envid(plain).plain, plain);
    EXPECT_EQ(split_folded_envid(plain).folded, std::nullopt);
  }
}

TEST(FoldTest, ToleratesAPadThatACommandFilterCopied) {
  const std::string certifier(kCertifier);
  EXPECT_EQ(parse_folded_mtrk(certifier + "=")->certifier.to_base64(), certifier);
  EXPECT_EQ(parse_folded_mtrk(certifier + "=:60")->timeout, Seconds(60));
  EXPECT_FALSE(parse_folded_mtrk(certifier + "=="));
  EXPECT_FALSE(parse_folded_mtrk(kWithPlus));  // a bare '+' is not xtext
  EXPECT_FALSE(parse_folded_mtrk(""));
}

}  // namespace
}  // namespace mtrk

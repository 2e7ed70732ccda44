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

// A well-formed certifier of another size is no reason to refuse mail; a malformed one is.
TEST(MtrkParamTest, ToldApartBySizeAndSyntax) {
  for (const std::string value :
       {"MDEyMzQ1Njc4OWFiY2RlZg", "MDEyMzQ1Njc4OWFiY2RlZg==:60", "abc", "abcd:0", "QQ"}) {
    EXPECT_EQ(parse_mtrk_param(value).error().code, ErrorCode::out_of_range) << value;
  }
  const std::string long_one(80, 'A');
  EXPECT_EQ(parse_mtrk_param(long_one).error().code, ErrorCode::out_of_range);
  for (const std::string value : {"", ":60", "a", "abcde", "abc:", "abc:x", "abc:1234567890", "a=b",
                                  "abc==", "ab!c", "a b", "=", "not!base64"}) {
    EXPECT_EQ(parse_mtrk_param(value).error().code, ErrorCode::syntax) << value;
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
  const std::string certifier(kCertifier);
  const std::string envid = "a;MTRK:" + certifier + ";mTrK:" + certifier + ":0";
  const FoldedEnvid split = split_folded_envid(envid);
  EXPECT_EQ(split.plain, "a;MTRK:" + certifier);
  EXPECT_EQ(split.folded, certifier + ":0");
  const std::string alone = ";MTRK:" + certifier;
  EXPECT_EQ(split_folded_envid(alone).plain, "");
}

TEST(FoldTest, WhatOnlyLooksLikeOneIsNone) {
  const std::string certifier(kCertifier);
  for (const std::string& plain : std::initializer_list<std::string>{
           "", "a@h", ";MTRK", ";MTRK:", "a@hMTRK:x", "a@h;MTR:x", ";", "a;MTRK:x@h",
           "a@h;MTRK:abc", "a@h;MTRK:" + certifier.substr(1), "a@h;MTRK:" + certifier + "A",
           "a@h;MTRK:" + certifier + "==", "a@h;MTRK:" + certifier + ":",
           "a@h;MTRK:" + certifier + ":1234567890", "a@h;MTRK:" + certifier + ":1:2",
           "a@h;MTRK:" + certifier + "@h", "a@h;MTRK:" + std::string(kWithPlus),
           "a@h;MTRK:" + certifier + ";MTRK:abc"}) {
    EXPECT_EQ(split_folded_envid(plain).plain, plain);
    EXPECT_EQ(split_folded_envid(plain).folded, std::nullopt);
  }
}

// The table of Postfix folds what is no certifier, too (contrib/postfix/make-command-filter).
TEST(FoldTest, WhatTheCommandFilterMakesOfAMalformedMtrkIsTakenOff) {
  for (const std::string value : {"", "abc", "abc=", "a/b==", "+2B", "a+2Bb:60", ":60", "a:b:c"}) {
    const std::string envid = "a@h;MTRK:" + value;
    EXPECT_EQ(split_filtered_envid(envid).plain, "a@h") << value;
    EXPECT_EQ(split_filtered_envid(envid).folded, value);
    EXPECT_EQ(split_folded_envid(envid).folded, std::nullopt);
  }
  for (const std::string envid : {"a@h;MTRK:x@h", "a;MTRK:abc", "a@h;MTRK:a+41", "a@h;MTRK:a.b",
                                  "a@h;MTRK:a+", "a@h;MTRK:+2b", "a@h;MTRK:a;b", ";MTRK:abc"}) {
    EXPECT_EQ(split_filtered_envid(envid).folded, std::nullopt) << envid;
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

#include "common/track/mail_params.h"

#include <gtest/gtest.h>

#include <vector>

namespace mtrk {
namespace {

constexpr std::string_view kCertifier = "UuDp1PRsl8pbywcI0YYzaY1g+l8";
const std::string kMtrk = "MTRK=UuDp1PRsl8pbywcI0YYzaY1g+l8";
const std::string kFold = ";MTRK:UuDp1PRsl8pbywcI0YYzaY1g+2Bl8";

// A milter's argument vector.
class Argv {
 public:
  Argv(std::initializer_list<std::string> words) : words_(words) {}
  // Made anew on each call: the object may have been copied since.
  [[nodiscard]] const char* const* get() const {
    pointers_.clear();
    for (const std::string& word : words_) {
      pointers_.push_back(word.c_str());
    }
    pointers_.push_back(nullptr);
    return pointers_.data();
  }

 private:
  std::vector<std::string> words_;
  mutable std::vector<const char*> pointers_;
};

TEST(MailParamsTest, PlainMailIsLeftAlone) {
  for (const Argv& argv : {Argv{}, Argv{"<a@b>"}, Argv{"<a@b>", "SIZE=1000", "BODY=8BITMIME"},
                           Argv{"<a@b>", "ENVID=x@y", "RET=HDRS"}, Argv{"<a@b>", "ENVID=x;MTRK@y"},
                           Argv{"<MTRK=x@b>", "AUTH=<MTRK=>", "M", "E", ""}}) {
    EXPECT_FALSE(may_carry_mtrk(argv.get()));
    const MailParams params = parse_mail_params(argv.get());
    EXPECT_FALSE(params.mentions_mtrk);
    EXPECT_FALSE(params.folded);
    EXPECT_FALSE(params.tracking);
    EXPECT_EQ(params.refusal, "");
  }
}

TEST(MailParamsTest, TracksPlainAndFoldedInAnyOrderAndCase) {  // MTRK-2-04, MTRK-3-01, N-2, N-4
  for (const Argv& argv :
       {Argv{"<a@b>", kMtrk + ":60", "ENVID=x+2By@h", "RET=FULL"},
        Argv{"<a@b>", "RET=FULL", "envid=x+2By@h", "mTrK=" + std::string(kCertifier) + ":60"},
        Argv{"<a@b>", "SIZE=1", "ENVID=x+2By@h" + kFold + ":60", "RET=FULL"},
        Argv{"<a@b>", "EnvId=x+2By@h;mtrk:UuDp1PRsl8pbywcI0YYzaY1g+2Bl8=:60", "ret=FULL"}}) {
    EXPECT_TRUE(may_carry_mtrk(argv.get()));
    const MailParams params = parse_mail_params(argv.get());
    EXPECT_TRUE(params.mentions_mtrk);
    ASSERT_TRUE(params.tracking) << params.refusal;
    EXPECT_EQ(params.refusal, "");
    EXPECT_EQ(params.sender, "<a@b>");
    EXPECT_EQ(params.tracking->envelope_id.decoded(), "x+y@h");
    EXPECT_EQ(params.tracking->mtrk.certifier.to_base64(), kCertifier);
    EXPECT_EQ(params.tracking->mtrk.timeout, Seconds(60));
    EXPECT_EQ(restored_arguments(params, Forgotten::envid_and_ret), "ENVID=x+2By@h RET=FULL");
  }
}

TEST(MailParamsTest, OnlyAFoldHasToBeRestored) {
  EXPECT_FALSE(parse_mail_params(Argv{"<a@b>", kMtrk, "ENVID=x@h"}.get()).folded);
  EXPECT_TRUE(parse_mail_params(Argv{"<a@b>", "ENVID=x@h" + kFold}.get()).folded);
}

struct Refused {
  Argv argv;
  std::string_view refusal;
  bool folded;
  std::string_view restored;
};

TEST(MailParamsTest,
     SaysWhyAMessageIsNotTracked) {  // MTRK-3.2-02, MTRK-3.2-03, DSNX-4.5-01
  const std::string ninety_nine(99, 'x');
  const std::vector<Refused> table{
      {{"<a@b>", kMtrk, kMtrk, "ENVID=x@h"}, "MTRK twice", false, "ENVID=x@h"},
      {{"<a@b>", kMtrk, "ENVID=x@h" + kFold},
       "MTRK both plain and folded into ENVID",
       true,
       "ENVID=x@h"},
      {{"<a@b>", kMtrk}, "no ENVID", false, ""},
      {{"<a@b>", kMtrk, "ENVID="}, "no ENVID", false, "ENVID="},
      {{"<a@b>", "ENVID=" + kFold},
       "no ENVID",
       false,
       std::string_view("ENVID=;MTRK:UuDp1PRsl8pbywcI0YYzaY1g+2Bl8")},
      {{"<a@b>", kMtrk, "ENVID=x@h", "ENVID=y@h"}, "ENVID twice", false, "ENVID=x@h"},
      {{"<a@b>", "MTRK=ab!c", "ENVID=x@h"},
       "certifier is not 20 octets of base64",
       false,
       "ENVID=x@h"},
      {{"<a@b>", "MTRK", "ENVID=x@h"}, "certifier is not 20 octets of base64", false, "ENVID=x@h"},
      {{"<a@b>", "MTRK=MDEyMzQ1Njc4OWFiY2RlZg", "ENVID=x@h"},
       "certifier is not 20 octets of base64",
       false,
       "ENVID=x@h"},
      // What the command filter makes of a malformed MTRK.
      {{"<a@b>", "ENVID=x@h;MTRK:"}, "certifier is not 20 octets of base64", true, "ENVID=x@h"},
      {{"<a@b>", "ENVID=x@h;MTRK:MDEyMzQ1Njc4OWFiY2RlZg=="},
       "certifier is not 20 octets of base64",
       true,
       "ENVID=x@h"},
      {{"<a@b>", "ENVID=x@h;MTRK:abc+2B:60"},
       "certifier is not 20 octets of base64",
       true,
       "ENVID=x@h"},
      {{"<a@b>", "ENVID=x@h;MTRK:a:b:c"}, "timeout is not 1 to 9 digits", true, "ENVID=x@h"},
      {{"<a@b>", kMtrk + ":", "ENVID=x@h"}, "timeout is not 1 to 9 digits", false, "ENVID=x@h"},
      {{"<a@b>", "ENVID=x@h" + kFold + ":1234567890"},
       "timeout is not 1 to 9 digits",
       true,
       "ENVID=x@h"},
      {{"<a@b>", kMtrk, "ENVID=noat"}, "ENVID has no '@'", false, "ENVID=noat"},
      {{"<a@b>", "ENVID=noat" + kFold, "RET=hdrs"},
       "ENVID has no '@'",
       true,
       "ENVID=noat RET=hdrs"},
      {{"<a@b>", kMtrk, "ENVID=@h"},
       "ENVID has nothing before or after its '@'",
       false,
       "ENVID=@h"},
      {{"<a@b>", kMtrk, "ENVID=" + ninety_nine + "@h"}, "ENVID over 100 octets", false, {}},
      {{"<a@b>", kMtrk, "ENVID=a+0A@h"}, "ENVID is not printable ASCII", false, "ENVID=a+0A@h"},
      {{"<a@b>", "ENVID=a+0D+0A.+0D+0A+2BOK@y" + kFold}, "ENVID is not printable ASCII", true, {}},
      {{"<a@b>", kMtrk, "ENVID=a+zz@h"}, "ENVID is not xtext", false, "ENVID=a+zz@h"},
      {{"<a@b>", kMtrk, "ENVID=a@h+"}, "ENVID is not xtext", false, "ENVID=a@h+"},
  };
  for (const Refused& row : table) {
    EXPECT_TRUE(may_carry_mtrk(row.argv.get()));
    const MailParams params = parse_mail_params(row.argv.get());
    EXPECT_TRUE(params.mentions_mtrk);
    EXPECT_FALSE(params.tracking);
    EXPECT_EQ(params.refusal, row.refusal);
    EXPECT_EQ(params.folded, row.folded) << row.refusal;
    if (row.restored.data() != nullptr) {
      EXPECT_EQ(restored_arguments(params, Forgotten::all), row.restored);
    }
  }
}

// RFC 3461 §5.2.1: the next hop gets the same value.
TEST(MailParamsTest, AnEnvelopeIdThatOnlyLooksLikeAFoldIsLeftAlone) {
  for (const std::string id :
       {"a;MTRK:x@h", "a;MTRK:", "a;MTRK:abc", "a@h;MTRK:x@h", "a;MTRK+3Ax@h", "a@h;MTRK:a.b",
        "a@h;MTRK:QlrxKgdDUCsyLpOgFbz4aOMk1Wo@h", "a@h;MTRK:QlrxKgdDUCsyLpOgFbz4aOMk1Wo;x",
        "a@h;MTRK:+41bc", "a@h;MTRK:a-b", "a@h;MTRK", "a@h;MTRKS:abc"}) {
    const Argv argv{"<a@b>", "ENVID=" + id};
    EXPECT_FALSE(may_carry_mtrk(argv.get())) << id;
    const MailParams params = parse_mail_params(argv.get());
    EXPECT_FALSE(params.folded) << id;
    EXPECT_FALSE(params.mentions_mtrk) << id;
    EXPECT_EQ(params.envid, id);
  }
}

TEST(MailParamsTest, BehindOneThatLooksLikeAFoldTheFoldIsTakenOff) {
  const MailParams params = parse_mail_params(Argv{"<a@b>", "ENVID=a;MTRK:x@h" + kFold}.get());
  ASSERT_TRUE(params.tracking);
  EXPECT_EQ(params.tracking->envelope_id.decoded(), "a;MTRK:x@h");
  EXPECT_EQ(restored_arguments(params, Forgotten::all), "ENVID=a;MTRK:x@h");
}

// Who is given MTRK itself is behind no command filter.
TEST(MailParamsTest, BesideMtrkOnlyAWholeFoldIsOne) {
  const MailParams params = parse_mail_params(Argv{"<a@b>", kMtrk, "ENVID=a@h;MTRK:abc"}.get());
  ASSERT_TRUE(params.tracking);
  EXPECT_EQ(params.tracking->envelope_id.decoded(), "a@h;MTRK:abc");
}

TEST(MailParamsTest, PostfixGetsNothingButEnvidAndRetBack) {
  const Argv argv{"<a@b>", "SIZE=1", "ENVID=x@h" + kFold, "RET=FULL BODY=7BIT", "SMTPUTF8"};
  EXPECT_EQ(restored_arguments(parse_mail_params(argv.get()), Forgotten::envid_and_ret),
            "ENVID=x@h");
  const Argv odd{"<a@b>", "ENVID=x@h RET=\r\n" + kFold};
  EXPECT_FALSE(parse_mail_params(odd.get()).folded);
}

TEST(MailParamsTest, SendmailGetsAllBackThatItForgets) {
  const Argv argv{"<a@b>",        "SIZE=100", "body=8BITMIME", "ENVID=x@h" + kFold, "RET=FULL",
                  "AUTH=<e+2Bf>", "SMTPUTF8", "BY=120;RT",     "XOTHER=1"};
  EXPECT_EQ(restored_arguments(parse_mail_params(argv.get()), Forgotten::all),
            "ENVID=x@h RET=FULL body=8BITMIME AUTH=<e+2Bf> SMTPUTF8 BY=120;RT");
  // A word that is none: only the MTA splits lines.
  const Argv odd{"<a@b>", "ENVID=x@h" + kFold, "BODY=7BIT\r\nX", "AUTH=<> X=1", "BY", ""};
  EXPECT_EQ(restored_arguments(parse_mail_params(odd.get()), Forgotten::all), "ENVID=x@h BY");
}

TEST(MailParamsTest, TheLongestEnvidCanBeFolded) {  // DSNX-5.4-01
  const std::string longest = std::string(98, 'x') + "@h";
  const MailParams params =
      parse_mail_params(Argv{"<a@b>", "ENVID=" + longest + kFold + ":999999999"}.get());
  ASSERT_TRUE(params.tracking) << params.refusal;
  EXPECT_EQ(params.tracking->envelope_id.decoded(), longest);
}

TEST(RcptParamsTest, OriginalRecipientIsOrcptOrTheAddress) {  // A-8, MTSN-3.3.1-01, DSNX-6.3-03
  const TypedAddress rcpt{"rfc822", "u@d"};
  const TypedAddress orcpt{"rfc822", "U+t@D"};
  const RcptParams with =
      parse_rcpt_params(Argv{"<u@d>", "NOTIFY=NEVER", "orcpt=rfc822;U+2Bt@D"}.get());
  EXPECT_EQ(with.original, orcpt);
  EXPECT_EQ(with.final, rcpt);
  for (const Argv& argv : {Argv{"<u@d>"}, Argv{"<u@d>", "ORCPT=u@d"}, Argv{"<u@d>", "ORCPT=;u"},
                           Argv{"<u@d>", "ORCPT"}, Argv{"<u@d>", "ORCPT=rfc822;a+zz"}}) {
    EXPECT_EQ(parse_rcpt_params(argv.get()).original, rcpt);
    EXPECT_EQ(parse_rcpt_params(argv.get()).final, rcpt);
  }
}

TEST(RcptParamsTest, LongOrcptIsKept) {  // DSNX-4.2-03
  const std::string address(493, 'x');
  EXPECT_EQ(parse_rcpt_params(Argv{"<u@d>", "ORCPT=rfc822;" + address}.get()).original.value,
            address);
}

}  // namespace
}  // namespace mtrk

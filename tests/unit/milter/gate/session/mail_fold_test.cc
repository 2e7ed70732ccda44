#include "milter/gate/session/mail_fold.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mtrk::smtp {
namespace {

using Kind = RewrittenMail::Kind;

constexpr char kB[] = "q+qP/cyxm+YcTAhz05Hph5gvu9M";
constexpr char kFolded[] = "q+2BqP/cyxm+2BYcTAhz05Hph5gvu9M";

struct Case {
  std::string in;
  Kind kind;
  std::string out;
};

// MTRK-2-04, MTRK-2-05, MTRK-3-01, MTRK-3.1-08, MTRK-3.1-22, MTRK-3.2-02, MTRK-3.2-03, DSNX-4.5-01
TEST(MailFoldTest, FoldsInAnyOrderAndCase) {
  const std::string b = kB;
  const std::string f = kFolded;
  const std::vector<Case> cases{
      {"MAIL FROM:<s@x> MTRK=" + b + ":3600 RET=HDRS ENVID=e+2B1@h", Kind::folded,
       "MAIL FROM:<s@x> RET=HDRS ENVID=e+2B1@h;MTRK:" + f + ":3600"},
      {"mail from:<s@x> envid=e@h size=1 mtrk=" + b + " body=8bitmime", Kind::folded,
       "mail from:<s@x> envid=e@h;MTRK:" + f + " size=1 body=8bitmime"},
      {"MAIL FROM:<> ENVID=a@b@c MTRK=" + b + ":0", Kind::folded,
       "MAIL FROM:<> ENVID=a@b@c;MTRK:" + f + ":0"},
      {"MAIL FROM:<s@x> ENVID=e@h MTRK=" + b + "=", Kind::folded,
       "MAIL FROM:<s@x> ENVID=e@h;MTRK:" + f},  // the pad of careless clients (A-2)
      {R"(MAIL FROM:<"> MTRK=x ENVID=y"@x> ENVID=e@h)", Kind::verbatim, ""},
      {"MAIL FROM:<s@x> ENVID=e@h SIZE=10", Kind::verbatim, ""},
      {"MAIL FROM:<s@x> ENVID=e@h;MTRK:" + f, Kind::verbatim, ""},  // the client's own fold
      {"MAIL FROM:<s@x MTRK=" + b, Kind::verbatim, ""},             // for the server to refuse
      {"MAIL FROM:<s@x> MTRK=" + b, Kind::dropped, "MAIL FROM:<s@x>"},
      {"MAIL FROM:<s@x> ENVID=noat MTRK=" + b + " RET=FULL", Kind::dropped,
       "MAIL FROM:<s@x> ENVID=noat RET=FULL"},
      {"MAIL FROM:<s@x> ENVID=a+0A@h MTRK=" + b, Kind::dropped, "MAIL FROM:<s@x> ENVID=a+0A@h"},
      {"MAIL FROM:<s@x> ENVID=a@h ENVID=b@h MTRK=" + b, Kind::dropped,
       "MAIL FROM:<s@x> ENVID=a@h ENVID=b@h"},
      {"MAIL FROM:<s@x> ENVID=e@h MTRK=MDEyMzQ1Njc4OWFiY2RlZg:60 RET=FULL", Kind::dropped,
       "MAIL FROM:<s@x> ENVID=e@h RET=FULL"},
      {"MAIL FROM:<s@x> MTRK=abc ENVID=e@h", Kind::dropped, "MAIL FROM:<s@x> ENVID=e@h"},
      {"MAIL FROM:<s@x> ENVID=a;MTRK:x@h MTRK=" + b, Kind::folded,
       "MAIL FROM:<s@x> ENVID=a;MTRK:x@h;MTRK:" + f},
      {"MAIL FROM:<s@x> ENVID=a@h;MTRK:abc MTRK=" + b, Kind::folded,
       "MAIL FROM:<s@x> ENVID=a@h;MTRK:abc;MTRK:" + f},
      {"MAIL FROM:<s@x> ENVID=e@h MTRK=abc:x", Kind::refused, ""},
      {"MAIL FROM:<s@x> ENVID=e@h MTRK=abcde", Kind::refused, ""},
      {"MAIL FROM:<s@x> MTRK=" + b + " ENVID=e@h MTRK=" + b, Kind::refused, ""},
      {"MAIL FROM:<s@x> ENVID=e@h;MTRK:" + f + " MTRK=" + b, Kind::refused, ""},
      {"MAIL FROM:<s@x> ENVID=e@h MTRK", Kind::refused, ""},
      {"MAIL FROM:<s@x> ENVID=e@h MTRK=", Kind::refused, ""},
      {"MAIL FROM:<s@x> ENVID=e@h MTRK=ab!c", Kind::refused, ""},
      {"MAIL FROM:<s@x> ENVID=e@h MTRK=" + b + ":", Kind::refused, ""},
      {"MAIL FROM:<s@x> ENVID=e@h MTRK=" + b + ":-1", Kind::refused, ""},
      {"MAIL FROM:<s@x> ENVID=e@h MTRK=" + b + ":1234567890", Kind::refused, ""},
      {"MAIL FROM:<s@x> ENVID=e@h MTRK=" + b + ":1:2", Kind::refused, ""},
  };
  for (const Case& one : cases) {
    const RewrittenMail mail = fold_mail(one.in);
    EXPECT_EQ(mail.kind, one.kind) << one.in;
    EXPECT_EQ(mail.line, one.out) << one.in;
  }
}

TEST(MailFoldTest, UnfoldsAndAdds) {
  const std::string b = kB;
  const std::string f = kFolded;
  EXPECT_EQ(unfold_mail("MAIL FROM:<s@x> ENVID=e@h;MTRK:" + f + ":60 RET=HDRS", nullptr),
            "MAIL FROM:<s@x> ENVID=e@h RET=HDRS");
  EXPECT_EQ(unfold_mail("MAIL FROM:<s@x> ENVID=e@h;MTRK:" + f + ";mtrk:" + f, nullptr),
            "MAIL FROM:<s@x> ENVID=e@h");
  EXPECT_EQ(unfold_mail("MAIL FROM:<s@x> ENVID=;MTRK:" + f + " SIZE=1", nullptr),
            "MAIL FROM:<s@x> SIZE=1");
  for (const std::string id : {"a;MTRK:x@h", "a@h;MTRK:abc", "a@h;MTRK:", ";MTRK:x"}) {
    EXPECT_EQ(unfold_mail("MAIL FROM:<s@x> ENVID=" + id, nullptr), "MAIL FROM:<s@x> ENVID=" + id);
    EXPECT_EQ(unfold_mail("MAIL FROM:<s@x> ENVID=" + id + ";MTRK:" + f, nullptr),
              "MAIL FROM:<s@x> ENVID=" + id);
  }
  EXPECT_EQ(unfold_mail("MAIL FROM:<s@x> MTRK=" + b + " SIZE=1", nullptr),
            "MAIL FROM:<s@x> SIZE=1");
  const Onward onward{"e@h", *parse_mtrk_param(b + ":940")};
  EXPECT_EQ(unfold_mail("MAIL FROM:<s@x> ENVID=e@h RET=HDRS", &onward),
            "MAIL FROM:<s@x> ENVID=e@h RET=HDRS MTRK=" + b + ":940");
  EXPECT_EQ(unfold_mail("MAIL FROM:<s@x>", &onward),
            "MAIL FROM:<s@x> ENVID=e@h MTRK=" + b + ":940");
  EXPECT_EQ(plain_envid("MAIL FROM:<s@x> ENVID=e+2B@h;MTRK:" + f), "e+2B@h");
  EXPECT_EQ(plain_envid("MAIL FROM:<s@x>"), "");
}

TEST(MailFoldTest, TellsWhatEnvidWasFoldedWith) {
  const std::string f = kFolded;
  const TrackingCertifier certifier = parse_mtrk_param(kB)->certifier;
  const auto fold = folded_mtrk("MAIL FROM:<s@x> RET=HDRS envid=e@h;mtrk:" + f + ":60");
  ASSERT_TRUE(fold);
  EXPECT_EQ(fold->certifier, certifier);
  EXPECT_EQ(fold->timeout, Seconds(60));
  for (const std::string& line : std::initializer_list<std::string>{
           std::string("MAIL FROM:<s@x>"), std::string("MAIL FROM:<s@x> ENVID=e@h"),
           "MAIL FROM:<s@x> ENVID=e@h;MTRK:!", "MAIL FROM:<s@x> ENVID=a;MTRK:" + f + " ENVID=b",
           "MAIL FROM:<s@x> MTRK=" + std::string(kB), "MAIL ENVID=e@h;MTRK:" + f, std::string()}) {
    EXPECT_FALSE(folded_mtrk(line)) << line;
  }
}

}  // namespace
}  // namespace mtrk::smtp

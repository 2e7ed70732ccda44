#include "common/track/gate_tag.h"

#include <gtest/gtest.h>

namespace mtrk {
namespace {

const GateTag kTag{true, "mx.example.net", "192.0.2.25", "25"};

TEST(GateTagTest, StandsBehindTheEnhancedCode) {
  const std::string text = insert_gate_tag("2.0.0 Ok: queued as 4jW", kTag);
  EXPECT_EQ(text, "2.0.0 mtrk-gate=transferred/mx.example.net[192.0.2.25]:25 Ok: queued as 4jW");
  EXPECT_EQ(find_gate_tag("250 " + text), kTag);
  EXPECT_EQ(insert_gate_tag("Ok", {false, "", "::1", "10025"}), "mtrk-gate=relayed/[::1]:10025 Ok");
  EXPECT_EQ(find_gate_tag("250-mtrk-gate=relayed/[::1]:10025"),
            (GateTag{false, "", "::1", "10025"}));
}

TEST(GateTagTest, CountsOnlyInItsPlace) {
  for (const char* reply :
       {"250 2.0.0 Ok mtrk-gate=transferred/mx[192.0.2.1]:25", "mtrk-gate=transferred/mx[1]:25",
        "250 2.0.0 x mtrk-gate=transferred/mx[1]:25", "250 mtrk-gate=delivered/mx[1]:25",
        "250 mtrk-gate=transferred/mx[]:25", "250 mtrk-gate=transferred/mx[1]:x",
        "250 mtrk-gate=transferred/mx[1]:", "250 mtrk-gate=transferred/m(x[1]:25",
        "250 mtrk-gate=transferred", "250", "", "250 2.0.0 2.0.0 mtrk-gate=relayed/mx[1]:25"}) {
    EXPECT_FALSE(find_gate_tag(reply)) << reply;
  }
  EXPECT_EQ(find_gate_tag_in_text(format_gate_tag(kTag) + " Ok"), kTag);  // as Sendmail logs it
  EXPECT_FALSE(find_gate_tag_in_text("Ok " + format_gate_tag(kTag)));
  EXPECT_EQ(find_gate_tag_in_text("2.0.0 " + format_gate_tag(kTag)), kTag);
  EXPECT_FALSE(find_gate_tag_in_text("250 2.0.0 " + format_gate_tag(kTag)));
}

TEST(GateTagTest, SpoilsWhatANextHopWritesLikeIt) {
  const std::string text =
      insert_gate_tag("2.0.0 mtrk-gate=transferred/evil[1]:25 MTRK-GATE=x", kTag);
  EXPECT_EQ(text,
            "2.0.0 mtrk-gate=transferred/mx.example.net[192.0.2.25]:25 "
            "mtrk-gate?transferred/evil[1]:25 MTRK-GATE?x");
  EXPECT_EQ(find_gate_tag("250 " + text), kTag);
}

TEST(GateTagTest, NamesHoldNothingThatCouldEndThem) {
  const GateTag odd{false, "a b]c(d", "[1]", "2 5"};
  EXPECT_EQ(format_gate_tag(odd), "mtrk-gate=relayed/a?b?c?d[?1?]:2?5");
}

TEST(GateTagTest, RemoteMta) {
  EXPECT_EQ(kTag.remote_mta(), "mx.example.net");
  EXPECT_EQ((GateTag{false, "", "192.0.2.1", "25"}).remote_mta(), "[192.0.2.1]");
  EXPECT_EQ((GateTag{false, "", "2001:db8::1", "25"}).remote_mta(), "[IPv6:2001:db8::1]");
}

}  // namespace
}  // namespace mtrk

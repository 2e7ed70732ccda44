#include "common/maillog/filter_reply.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk::maillog {
namespace {

TEST(FilterReplyTest, KnowsTheWordsOfFiltersAtTheFront) {
  for (const std::string_view reply :
       {"250 2.7.0 Ok, discarded, id=11-02 - spam", "250 2.7.1 Ok, discarded, id=1 - INFECTED: X",
        "250 2.7.0 Ok, discarded, UBE, id=03517-02", "254 2.7.1 Ok, discarded",
        "250 2.7.0 BLOCKED (2B9A1C60092030F33)", "250 2.5.0 OK (2B9A1C60092030F33)",
        "250 2.5.0 Ok, id=01201-01, BOUNCE", "250 2.7.1 Ok, id=123-01-2, QUARANTINED",
        "250-2.7.0 Ok, discarded", "250 Message quarantined", "250 message dropped.",
        "250 2.0.0 It has been silently discarded", "message discarded", "Blocked",
        "250 2.5.0 OK (moved to spam quarantine)", "250 2.0.0 stored in the quarantine"}) {
    EXPECT_TRUE(is_filter_reply(reply)) << reply;
  }
}

TEST(FilterReplyTest, LeavesMailboxServersAlone) {
  for (const std::string_view reply :
       {"250 2.0.0 <bob@example.org> 2BWmGgF Saved", "250 2.1.5 Ok SESSIONID=<mx-1-2>", "250 Ok",
        "250 2.1.5 Delivery OK", "250 2.0.0 <discarded@example.org> 2B Saved",
        "250 2.0.0 Ok: queued as 4dCXzv1Cvjz6A", "250 2.0.0 Saved, not blocked", "250 2.5.0 OK",
        "250 2.5.0 OK (not an id)", "250 2.0.0 OK (2B9A1C60092030F33)", "250 2.6.0 Ok, id=12-3", "",
        "250", "250 ", "2.7.0", "delivered to mailbox", "250 2.1.5 Ok, id=discarded, Saved"}) {
    EXPECT_FALSE(is_filter_reply(reply)) << reply;
  }
}

TEST(FilterReplyTest, LooksAtTheFirstWordsOnly) {
  std::string reply = "250 ";
  for (int i = 0; i < 100'000; ++i) {
    reply += "ok, ";
  }
  EXPECT_FALSE(is_filter_reply(reply + "discarded"));
  EXPECT_FALSE(is_filter_reply(std::string(1'000'000, ',')));
}

}  // namespace
}  // namespace mtrk::maillog

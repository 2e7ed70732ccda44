#include "common/maillog/trace_router.h"

#include "common/maillog/postfix_log.h"
#include "tests/unit/maillog/corpus.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

// Log lines in, traces of the queue ids that somebody asked for out.
namespace mtrk::maillog {
namespace {

class TraceRouterTest : public testing::Test {
 protected:
  // "10 mx postfix/smtp A1B2C3D4E5: …": second, host, tag, text.
  void read(const std::string& line) {
    const std::size_t host = line.find(' ') + 1;
    const std::size_t tag = line.find(' ', host) + 1;
    const std::size_t text = line.find(' ', tag) + 1;
    LogLine parts{};
    parts.at = LogTime(Seconds(1'795'219'200 + std::stoi(line)));
    parts.host = std::string_view(line).substr(host, tag - host - 1);
    parts.program = std::string_view(line).substr(tag, text - tag - 1);
    parts.text = std::string_view(line).substr(text);
    DeliveryEvent event;
    ASSERT_EQ(parse_postfix(parts, event), LineKind::events) << line;
    router_->route(event, traces_);
  }
  void read_all(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      read(line);
    }
  }
  [[nodiscard]] std::string outcome(const DeliveryTrace& trace, std::size_t recipient = 0) const {
    const OutcomeFields fields = fields_of(trace.outcome(recipient, policy_));
    return std::string(to_string(fields.action)) + " " + format_enhanced_status(fields.status);
  }
  void restart(std::string_view own_host) { router_.emplace(policy_, HeldLimits(), own_host); }

  TracePolicy policy_;
  MemoryIndex traces_;
  std::optional<TraceRouter> router_{policy_};
};

constexpr const char* kRefused =
    "to=<bob@example.org>, relay=mx.example.org[192.0.2.25]:25, delay=1, delays=0/0/0/1, "
    "dsn=5.1.1, status=bounced (host said: 550 no)";
constexpr const char* kTaken =
    "to=<bob@example.org>, relay=mx.example.org[192.0.2.25]:25, delay=1, delays=0/0/0/1, "
    "dsn=2.0.0, status=sent (250 ok)";
constexpr const char* kQueued = "from=<ann@example.net>, size=700, nrcpt=1 (queue active)";

std::string line(int at,
                 const std::string& place,
                 const std::string& text,
                 const std::string& queue_id = "A1B2C3D4E5") {
  return std::to_string(at) + " " + place + " " + queue_id + ": " + text;
}

TEST_F(TraceRouterTest, TheSameIdOnAnotherHostIsAnotherMessage) {
  const DeliveryTrace& trace = traces_.add("A1B2C3D4E5", {"bob@example.org"});
  read_all({line(0, "mxa postfix/qmgr", kQueued), line(0, "mxb postfix/qmgr", kQueued),
            line(2, "mxb postfix/smtp", kTaken), line(3, "mxb postfix/qmgr", "removed")});
  EXPECT_EQ(outcome(trace), "delayed 4.0.0");
  EXPECT_TRUE(trace.queued());
  read_all({line(4, "mxa postfix/smtp", kRefused), line(5, "mxa postfix/qmgr", "removed")});
  EXPECT_EQ(outcome(trace), "failed 5.1.1");
}

TEST_F(TraceRouterTest, TheSameHostMayBeCalledByItsFullName) {
  const DeliveryTrace& trace = traces_.add("A1B2C3D4E5", {"bob@example.org"});
  read_all({line(0, "MX postfix/qmgr", kQueued), line(2, "mx.example.net postfix/smtp", kRefused)});
  EXPECT_EQ(outcome(trace), "failed 5.1.1");
}

TEST_F(TraceRouterTest, TheSameIdInAnotherInstanceIsAnotherMessage) {
  const DeliveryTrace& trace = traces_.add("A1B2C3D4E5", {"bob@example.org"});
  read_all({line(0, "mx postfix/qmgr", kQueued), line(0, "mx postfix-out/qmgr", kQueued),
            line(2, "mx postfix-out/smtp", kTaken), line(3, "mx postfix-out/qmgr", "removed")});
  EXPECT_EQ(outcome(trace), "delayed 4.0.0");
  read_all({line(4, "mx postfix/smtp", kRefused), line(5, "mx postfix/qmgr", "removed")});
  EXPECT_EQ(outcome(trace), "failed 5.1.1");
}

TEST_F(TraceRouterTest, AServiceUnderANameOfItsOwnIsOfTheInstance) {
  const DeliveryTrace& trace = traces_.add("A1B2C3D4E5", {"bob@example.org"});
  read_all({line(0, "mx postfix-submission/smtpd", "client=x[192.0.2.1]"),
            line(0, "mx postfix-submission/cleanup", "message-id=<1@a>"),
            line(0, "mx postfix/qmgr", kQueued), line(2, "mx relay-out/smtp", kRefused)});
  EXPECT_EQ(outcome(trace), "failed 5.1.1");
}

TEST_F(TraceRouterTest, OtherProgramsSpeakOfEachInstance) {
  const DeliveryTrace& trace = traces_.add("A1B2C3D4E5", {"bob@example.org"});
  read_all({line(0, "mx postfix/qmgr", kQueued), line(1, "mx MailScanner", "removed")});
  EXPECT_EQ(outcome(trace), "opaque 2.0.0");
}

TEST_F(TraceRouterTest, OfSeveralHostsTheOwnOneCounts) {
  restart("mxb.example.net");
  const DeliveryTrace& trace = traces_.add("A1B2C3D4E5", {"bob@example.org"});
  read_all({line(0, "mxb postfix/qmgr", kQueued, "9999999999"),
            line(0, "mxa postfix/qmgr", kQueued), line(2, "mxa postfix/smtp", kRefused)});
  EXPECT_FALSE(trace.seen());
  read_all({line(3, "mxb postfix/qmgr", kQueued), line(4, "mxb postfix/smtp", kTaken)});
  EXPECT_EQ(outcome(trace), "relayed 2.1.9");
}

TEST_F(TraceRouterTest, TheOwnHostMayBeCalledOtherwise) {
  restart("container-7f");
  const DeliveryTrace& trace = traces_.add("A1B2C3D4E5", {"bob@example.org"});
  read_all({line(0, "mail postfix/qmgr", kQueued), line(2, "mail postfix/smtp", kTaken)});
  EXPECT_EQ(outcome(trace), "relayed 2.1.9");
}

TEST_F(TraceRouterTest, ARestartKeepsWhoseIdItIs) {
  DeliveryTrace& trace = traces_.add("A1B2C3D4E5", {"bob@example.org"});
  read(line(0, "mxa postfix/qmgr", kQueued));
  std::string stored;
  trace.encode(stored);
  std::string_view in = stored;
  trace = *DeliveryTrace::decode(in);
  restart("");
  read(line(2, "mxb postfix/smtp", kTaken));
  EXPECT_EQ(outcome(trace), "delayed 4.0.0");
  read(line(3, "mxa postfix/smtp", kTaken));
  EXPECT_EQ(outcome(trace), "relayed 2.1.9");
}

TEST_F(TraceRouterTest, AnIdGivenOutAgainIsAnotherMessageFromThenOn) {
  const DeliveryTrace& trace = traces_.add("A1B2C3D4E5", {"bob@example.org"});
  read_all({line(0, "mx postfix/qmgr", kQueued), line(1, "mx postfix/qmgr", "removed"),
            line(40, "mx postfix/smtpd", "client=x[192.0.2.8]"),
            line(41, "mx postfix/qmgr", kQueued), line(42, "mx postfix/smtp", kTaken)});
  EXPECT_EQ(outcome(trace), "opaque 2.0.0");
}

// An id that was this message's may be given out again to what comes back of another one.
TEST_F(TraceRouterTest, AnIdGivenOutAgainMayBeAChildOfAnother) {
  traces_.add("A1B2C3D4E5", {"bob@example.org"});
  const DeliveryTrace& second = traces_.add("B1B2C3D4E5", {"eve@example.org"});
  read_all({line(0, "mx postfix/qmgr", kQueued), line(1, "mx postfix/qmgr", "removed"),
            line(40, "mx postfix/cleanup", "message-id=<2@a>", "B1B2C3D4E5"),
            line(40, "mx postfix/qmgr", kQueued, "B1B2C3D4E5"),
            line(41, "mx postfix/smtpd", "client=localhost[127.0.0.1]"),
            line(41, "mx postfix/cleanup", "message-id=<2@a>"),
            line(41, "mx postfix/qmgr", kQueued)});
  const std::string to_eve = "to=<eve@example.org>, relay=";
  read(line(42, "mx postfix/smtp",
            to_eve + "127.0.0.1[127.0.0.1]:10024, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as "
                     "A1B2C3D4E5)",
            "B1B2C3D4E5"));
  EXPECT_EQ(second.queue_ids().back(), "A1B2C3D4E5");
}

TEST_F(TraceRouterTest, AFilterMayBringTheMessageIntoAnotherInstance) {
  const DeliveryTrace& trace = traces_.add("A1B2C3D4E5", {"bob@example.org"});
  read_all({line(0, "mx postfix-in/cleanup", "message-id=<1@a>"),
            line(0, "mx postfix-in/qmgr", kQueued),
            line(1, "mx postfix-out/smtpd", "client=localhost[127.0.0.1]", "B1B2C3D4E5"),
            line(1, "mx postfix-out/cleanup", "message-id=<1@a>", "B1B2C3D4E5"),
            line(1, "mx postfix-out/qmgr", kQueued, "B1B2C3D4E5"),
            line(2, "mx postfix-in/smtp",
                 "to=<bob@example.org>, relay=127.0.0.1[127.0.0.1]:10024, dsn=2.0.0, status=sent "
                 "(250 2.0.0 Ok: queued as B1B2C3D4E5)"),
            line(3, "mx postfix-in/smtp", kTaken, "B1B2C3D4E5")});
  EXPECT_EQ(outcome(trace), "delayed 4.0.0") << "the id of another instance";
  read(line(4, "mx postfix-out/smtp", kRefused, "B1B2C3D4E5"));
  EXPECT_EQ(outcome(trace), "failed 5.1.1");
}

TEST_F(TraceRouterTest, WhatAnotherHostReceivedProvesNothing) {
  const DeliveryTrace& trace = traces_.add("A1B2C3D4E5", {"bob@example.org"});
  read_all({line(0, "mxa postfix/cleanup", "message-id=<1@a>"),
            line(0, "mxa postfix/qmgr", kQueued),
            line(1, "mxb postfix/smtpd", "client=localhost[127.0.0.1]", "B1B2C3D4E5"),
            line(1, "mxb postfix/cleanup", "message-id=<1@a>", "B1B2C3D4E5"),
            line(2, "mxa postfix/smtp",
                 "to=<bob@example.org>, relay=127.0.0.1[127.0.0.1]:10024, dsn=2.0.0, status=sent "
                 "(250 2.0.0 Ok: queued as B1B2C3D4E5)")});
  EXPECT_EQ(trace.queue_ids().size(), 1U);
  read(line(3, "mxb postfix/smtpd", "client=x[127.0.0.1], orig_queue_id=A1B2C3D4E5", "C1B2C3D4E5"));
  EXPECT_EQ(trace.queue_ids().size(), 1U);
}

}  // namespace
}  // namespace mtrk::maillog

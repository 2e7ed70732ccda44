#include "common/track/tracking_report.h"
#include "common/track/utf8_address.h"
#include "tests/support/random_message.h"
#include "tests/support/report_checker.h"

#include <gtest/gtest.h>

#include <random>

namespace mtrk {
namespace {

using testing::CheckedReport;
using testing::ChoiceSource;
using testing::ReportChecker;

std::string random_octets(std::mt19937_64& engine, std::size_t size) {
  std::string octets(size, '\0');
  for (char& c : octets) {
    c = static_cast<char>(engine() & 255U);
  }
  return octets;
}

std::size_t groups_of(const std::vector<TrackedMessage>& messages) {
  std::size_t groups = 0;
  for (const TrackedMessage& message : messages) {
    groups += message.recipients.size();
  }
  return groups;
}

// MTSN-3-01 to MTSN-3.3.7-02, THR-P1 to THR-P10: whatever the strings, the report keeps to the
// grammar, with as many recipient groups as the messages have.
TEST(ReportPropertyTest, HostileMessagesGiveRightReports) {
  // MTSN-2-01, MTSN-3.1-03, MTSN-3.1-04, MTSN-3.2-01, MTSN-3.2-02, MTSN-3.2.1-01, MTSN-3.2.2-01,
  // MTSN-3.2.3-01, MTSN-3.3-01, MTSN-3.3.2-01, DSNF-2.3.7-01, DSNF-2.4-01
  std::mt19937_64 engine(20260101);
  for (int round = 0; round < 1000; ++round) {
    const std::string octets = random_octets(engine, 1500);
    ChoiceSource choices(octets);
    std::vector<TrackedMessage> messages;
    const std::string envelope_id = choices.text();
    for (std::uint32_t i = choices.below(4); i > 0; --i) {
      messages.push_back(choices.message());
    }
    std::string out;
    append_report(out, envelope_id, MessageViews(messages).messages(), "b1");
    const CheckedReport checked = ReportChecker::check(out);
    ASSERT_EQ(checked.problem, "") << "round " << round << '\n' << out;
    ASSERT_EQ(checked.groups, groups_of(messages));
    if (checked.groups == 0) {
      continue;
    }
    const Expected<std::vector<TrackingStatus>> parsed = parse_report(out);
    ASSERT_TRUE(parsed) << out;
    ASSERT_EQ(parsed->size(), checked.parts);
    std::size_t groups = 0;
    for (const TrackingStatus& status : *parsed) {
      groups += status.recipients.size();
      for (const ReportedRecipient& recipient : status.recipients) {
        ASSERT_TRUE(recipient.extensions.empty()) << out;
      }
    }
    ASSERT_EQ(groups, checked.groups) << out;
  }
}

// A value in the form in which a peer reads it back, if it is of ordinary size.
TypedAddress as_reported(const TypedAddress& address) {
  const bool ascii = std::all_of(address.value.begin(), address.value.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 128; });
  if (ascii) {
    return address;
  }
  return {"utf-8", encode_utf8_address(address.value, 1024)};
}

void expect_same(const TrackedMessage& message, const TrackingStatus& status) {
  EXPECT_EQ(status.reporting_mta, message.reporting_mta);
  EXPECT_EQ(status.arrival->at, message.arrival);
  EXPECT_EQ(status.arrival->utc_offset, message.utc_offset);
  ASSERT_EQ(status.recipients.size(), message.recipients.size());
  for (std::size_t i = 0; i < message.recipients.size(); ++i) {
    const Recipient& sent = message.recipients[i];
    const ReportedRecipient& read = status.recipients[i];
    EXPECT_EQ(read.original, as_reported(sent.original));
    EXPECT_EQ(read.final, as_reported(sent.final));
    EXPECT_TRUE(read.complete);
    OutcomeFields fields{read.action, *read.status, read.remote_mta, std::nullopt, std::nullopt};
    if (read.last_attempt) {
      fields.last_attempt = read.last_attempt->at;
    }
    if (read.will_retry_until) {
      fields.will_retry_until = read.will_retry_until->at;
    }
    EXPECT_EQ(make_outcome(fields).value(), sent.outcome);
  }
}

// Text as honest mail has it.
void make_ordinary(TrackedMessage& message, std::mt19937_64& engine) {
  static const std::vector<std::string> kValues{"user@example.com",
                                                "O'Brien+tag=x@example.com",
                                                "\"quo ted\\\" \"@example.com",
                                                "x(y)z;w@h",
                                                "/C=us/A=b/",
                                                "\xce\xb4\xce\xbf@\xcf\x80.example",
                                                std::string(900, 'l') + "@example.com"};
  const auto pick = [&engine] { return kValues[engine() % kValues.size()]; };
  message.utc_offset = Minutes(static_cast<int>(engine() % 1440) - 720);
  message.reporting_mta = {"dns", "mx" + std::to_string(engine() % 100) + ".example.net"};
  for (Recipient& recipient : message.recipients) {
    recipient.original = {"rfc822", pick()};
    recipient.final = {"rfc822", pick()};
    OutcomeFields fields = fields_of(recipient.outcome);
    if (fields.remote_mta) {
      fields.remote_mta = MtaName{"dns", "[192.0.2.1]"};
    }
    recipient.outcome = make_outcome(fields).value();
  }
}

TEST(ReportPropertyTest, WhatIsWrittenIsReadBack) {
  // DSNF-2.3.2-01, DSNX-6.3-04
  std::mt19937_64 engine(7);
  for (int round = 0; round < 500; ++round) {
    const std::string octets = random_octets(engine, 1500);
    ChoiceSource choices(octets);
    TrackedMessage message = choices.message();
    make_ordinary(message, engine);
    if (message.recipients.empty()) {
      continue;
    }
    std::string out;
    append_report(out, "a+b=c d@h", MessageViews({&message, 1}).messages(), make_boundary());
    const Expected<std::vector<TrackingStatus>> parsed = parse_report(out);
    ASSERT_EQ(parsed->size(), 1U);
    EXPECT_EQ(parsed->at(0).original_envelope_id, "a+b=c d@h");  // DSNX-6.3-01
    expect_same(message, parsed->at(0));
  }
}

TEST(ReportCheckerTest, RefusesWrongReports) {
  TrackedMessage message;
  message.reporting_mta = {"dns", "mx.example.net"};
  message.recipients.push_back({{"rfc822", "u@d"}, {"rfc822", "u@d"}, never_tried(TimePoint{})});
  std::string good;
  append_report(good, "a@h", MessageViews({&message, 1}).messages(), "b1");
  ASSERT_EQ(ReportChecker::check(good).problem, "");
  ASSERT_EQ(ReportChecker::check(good).groups, 1U);
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"Action: delayed", "Action: delivered"},
                                                        {"Status: 4.0.0", "Status: 2.1.9"},
                                                        {"Final-Recipient", "Original-Recipient"},
                                                        {"Status: 4.0.0\r\n", ""},
                                                        {"u@d", "u\td"},
                                                        {"Reporting-MTA: dns; ", "Reporting-MTA: "},
                                                        {"1970", "70"},
                                                        {"\r\n\r\n--b1--", "\r\n--b1--"},
                                                        {"Will-Retry", "X-Will-Retry"},
                                                        {"Action", "Action: delayed\r\nAction"},
                                                        {"--b1--\r\n", "--b1--"}}) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    EXPECT_NE(ReportChecker::check(bad).problem, "") << from;
  }
}

}  // namespace
}  // namespace mtrk

#include "tests/unit/maillog/corpus.h"

#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

// Real and forged logs of Sendmail with known outcomes: tests/data/logs/sendmail, forged-sendmail,
// odd-sendmail.
namespace mtrk::maillog {
namespace {

const std::string kLogs = std::string(MTRK_TEST_DATA) + "/logs/";
const TracePolicy kPolicy{};

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

// "folder/log" of each log that a table names, and its rows without that column.
using Rows = std::vector<std::vector<std::string>>;
std::map<std::string, Rows> rows_by_log(const std::string& table) {
  std::map<std::string, Rows> rows;
  for (const std::string folder : {"sendmail/", "forged-sendmail/", "odd-sendmail/"}) {
    if (!std::filesystem::exists(kLogs + folder + table)) {
      continue;
    }
    const std::string text = read_file(kLogs + folder + table);
    for (const std::string_view line : lines_of(text)) {
      const std::vector<std::string_view> fields = split(line, '\t');
      if (fields[0] != "file") {
        rows[folder + std::string(fields[0])].emplace_back(fields.begin() + 1, fields.end());
      }
    }
  }
  return rows;
}

const std::map<std::string, Rows>& expected() {
  static const std::map<std::string, Rows> rows = rows_by_log("expected.tsv");
  return rows;
}

std::vector<std::string> logs() {
  std::vector<std::string> names;
  for (const auto& [name, rows] : expected()) {
    names.push_back(name);
  }
  return names;
}

void add_traces(const Rows& rows, MemoryIndex& index) {
  std::map<std::string, std::vector<std::string>> envelopes;
  for (const auto& row : rows) {
    envelopes[row[0]].push_back(row[1]);
  }
  for (const auto& [queue_id, recipients] : envelopes) {
    index.add(queue_id, recipients);
  }
}

void compare(const Rows& rows, MemoryIndex& index) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row[0] + " <" + row[1] + "> " + row[5]);
    DeliveryTrace* trace = index.find(row[0]);
    ASSERT_NE(trace, nullptr);
    EXPECT_FALSE(trace->refused());
    const std::optional<std::size_t> recipient = trace->find_recipient(row[1]);
    ASSERT_TRUE(recipient);
    const Outcome outcome = trace->outcome(*recipient, kPolicy);
    EXPECT_EQ(to_string(action_of(outcome)), row[2]);
    EXPECT_EQ(format_enhanced_status(status_of(outcome)), row[3]);
    const std::optional<MtaName> remote = remote_mta_of(outcome);
    EXPECT_EQ(remote ? remote->name : "-", row[4]);
    EXPECT_TRUE(make_outcome(fields_of(outcome)).has_value());
  }
}

class SendmailCorpus : public testing::TestWithParam<std::string> {};

TEST_P(SendmailCorpus, EveryRecipientComesOutAsLabelled) {  // THR-H1 to THR-H3
  MemoryIndex index;
  const Rows& rows = expected().at(GetParam());
  add_traces(rows, index);
  TraceRouter router(kPolicy);
  const LineCounts counts = run_log(read_file(kLogs + GetParam()), router, index, Mta::sendmail);
  compare(rows, index);
  if (GetParam().find("forged-") == std::string::npos) {
    EXPECT_EQ(counts.unparsed, 0U);
  }
}

// The trace as the store keeps it, after any event, is the trace.
TEST_P(SendmailCorpus, TracesSurviveTheStoreAfterEachEvent) {
  struct Coder : MemoryIndex {
    void changed(DeliveryTrace& trace,
                 std::span<const std::size_t> /*recipients*/,
                 const DeliveryEvent& /*event*/) override {
      std::string first;
      trace.encode(first);
      std::string_view in = first;
      Expected<DeliveryTrace> again = DeliveryTrace::decode(in);
      ASSERT_TRUE(again.has_value());
      EXPECT_TRUE(in.empty());
      std::string second;
      again->encode(second);
      EXPECT_EQ(first, second);
      trace = std::move(*again);
    }
  } index;
  const Rows& rows = expected().at(GetParam());
  add_traces(rows, index);
  TraceRouter router(kPolicy);
  run_log(read_file(kLogs + GetParam()), router, index, Mta::sendmail);
  compare(rows, index);
}

// The store keeps what it is told has changed, and nothing else.
TEST_P(SendmailCorpus, ChangesOfOutcomesAreToldRecipientByRecipient) {
  struct Keeper : MemoryIndex {
    void changed(DeliveryTrace& trace,
                 std::span<const std::size_t> recipients,
                 const DeliveryEvent& /*event*/) override {
      for (const std::size_t recipient : recipients) {
        kept[trace.root() + " " + trace.recipients()[recipient]] =
            to_string(action_of(trace.outcome(recipient, kPolicy)));
      }
    }
    std::map<std::string, std::string> kept;
  } index;
  const Rows& rows = expected().at(GetParam());
  add_traces(rows, index);
  TraceRouter router(kPolicy);
  run_log(read_file(kLogs + GetParam()), router, index, Mta::sendmail);
  for (const auto& row : rows) {
    const auto kept = index.kept.find(row[0] + " " + row[1]);
    EXPECT_EQ(kept == index.kept.end() ? "delayed" : kept->second, row[2])
        << row[0] << " " << row[1];
  }
}

INSTANTIATE_TEST_SUITE_P(Sendmail,
                         SendmailCorpus,
                         testing::ValuesIn(logs()),
                         [](const testing::TestParamInfo<std::string>& log) {
                           std::string name = log.param.substr(0, log.param.rfind('.'));
                           for (char& c : name) {
                             c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                           }
                           return name;
                         });

TEST(SendmailCorpusTest, OneMessageInThreeRotatedLogs) {
  const std::string folder = "sendmail/level11/";
  Rows rows = expected().at(folder + "c32-expired-after-warning.log");
  rows.push_back(expected().at(folder + "c30-deferred-then-sent-on-retry.log")[0]);
  MemoryIndex index;
  add_traces(rows, index);
  TraceRouter router(kPolicy);
  for (const char* const log : {"c30-deferred-then-sent-on-retry.log", "c31-delay-warning.log",
                                "c32-expired-after-warning.log"}) {
    run_log(read_file(kLogs + folder + log), router, index, Mta::sendmail);
  }
  compare(rows, index);
}

TEST(SendmailCorpusTest, WhatWasNotTakenIsNotConfirmed) {
  for (const auto& [log, rows] : rows_by_log("norecord.tsv")) {
    MemoryIndex index;
    for (const auto& row : rows) {
      index.add(row[0], {"nobody@example.test"});
    }
    TraceRouter router(kPolicy);
    run_log(read_file(kLogs + log), router, index, Mta::sendmail);
    for (const auto& row : rows) {
      const DeliveryTrace* trace = index.find(row[0]);
      EXPECT_TRUE(trace->refused() || !trace->confirmed()) << log << " " << row[0];
    }
  }
}

// Refused at RCPT by a milter behind ours: captured, but never taken.
TEST(SendmailCorpusTest, ARecipientThatWasRefusedAfterAllIsDeclined) {
  MemoryIndex index;
  const DeliveryTrace& trace =
      index.add("6ALGq1SY026917", {"milterrej@example.net", "alice@mx.example.test"});
  TraceRouter router(kPolicy);
  run_log(read_file(kLogs + "sendmail/level9/c21-milter-reject-rcpt.log"), router, index,
          Mta::sendmail);
  EXPECT_TRUE(trace.declined(0));
  EXPECT_FALSE(trace.declined(1));
  EXPECT_EQ(format_enhanced_status(status_of(trace.outcome(0, kPolicy))), "5.7.1");
  EXPECT_FALSE(trace.queued());
}

}  // namespace
}  // namespace mtrk::maillog

#include "tests/unit/maillog/corpus.h"

#include "common/track/enhanced_status.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace mtrk::maillog {

namespace {

const std::string kFolder = std::string(MTRK_TEST_DATA) + "/logs/postfix/";
const std::vector<std::string> kFilters = {"127.0.0.1:10029", "127.0.0.1:10032"};  // mtrk.conf

struct Row {
  std::string queue_id, recipient, action, status, remote_mta, why;
};

// The rows of a table that are about one log; the first line names the columns.
std::vector<std::vector<std::string>> rows_of(const std::string& table, const std::string& log) {
  const std::string text = read_corpus(table);
  std::vector<std::vector<std::string>> rows;
  for (const std::string_view line : lines_of(text)) {
    const std::vector<std::string_view> fields = split(line, '\t');
    if (fields[0] == log) {
      rows.emplace_back(fields.begin() + 1, fields.end());
    }
  }
  return rows;
}

bool status_matches(std::string_view want, std::string_view got) {
  for (const std::string_view alternative : split(want, '|')) {
    if (alternative == "*" || alternative == got) {
      return true;
    }
  }
  return false;
}

// The conventions of the logs' README: none, -, ?name, *, name.
bool remote_mta_matches(std::string_view want, const std::optional<MtaName>& got) {
  if (want == "-" || want == "*") {
    return true;
  }
  if (want == "none") {
    return !got;
  }
  const bool optional = want[0] == '?';
  if (optional && !got) {
    return true;
  }
  return got && got->type == "dns" && got->name == want.substr(optional ? 1 : 0);
}

class Corpus : public testing::TestWithParam<std::string> {};

TEST_P(Corpus, EveryRecipientComesOutAsLabelled) {
  const TracePolicy policy{.queue_lifetime = Seconds(432000), .filters = kFilters};
  std::map<std::string, std::vector<std::string>> envelopes;
  const auto rows = rows_of("expected.tsv", GetParam());
  ASSERT_FALSE(rows.empty());
  for (const auto& row : rows) {
    envelopes[row[0]].push_back(row[1]);
  }
  MemoryIndex index;
  for (const auto& [queue_id, recipients] : envelopes) {
    index.add(queue_id, recipients);
  }
  TraceRouter router(policy);
  const std::string log = read_corpus(GetParam());
  run_log(log, router, index);

  for (const auto& row : rows) {
    const Row want{row[0], row[1], row[2], row[3], row[4], row[5]};
    SCOPED_TRACE(want.queue_id + " <" + want.recipient + "> " + want.why);
    DeliveryTrace* trace = index.find(want.queue_id);
    ASSERT_NE(trace, nullptr);
    EXPECT_FALSE(trace->refused());
    const std::optional<std::size_t> recipient = trace->find_recipient(want.recipient);
    ASSERT_TRUE(recipient);
    const Outcome outcome = trace->outcome(*recipient, policy);
    EXPECT_EQ(to_string(action_of(outcome)), want.action);
    EXPECT_PRED2(status_matches, want.status, format_enhanced_status(status_of(outcome)));
    EXPECT_PRED2(remote_mta_matches, want.remote_mta, remote_mta_of(outcome));
    EXPECT_TRUE(make_outcome(fields_of(outcome)).has_value());
  }
}

// A delivery line, as the logs' README counts them.
bool is_delivery(std::string_view line) {
  for (const std::string_view status :
       {"sent", "deferred", "bounced", "SOFTBOUNCE", "deliverable", "undeliverable"}) {
    if (line.find(", status=" + std::string(status) + " (") != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

TEST_P(Corpus, EveryDeliveryLineIsUnderstood) {
  const std::string log = read_corpus(GetParam());
  std::size_t deliveries = 0;
  std::size_t attempts = 0;
  for (const std::string_view line : lines_of(log)) {
    SCOPED_TRACE(line);
    deliveries += is_delivery(line) ? 1U : 0U;
    const std::optional<LogLine> split = split_log_line(line, kCorpusContext);
    ASSERT_TRUE(split);
    const ParsedLine parsed = parse_postfix(*split);
    EXPECT_FALSE(std::holds_alternative<Unparsed>(parsed));
    if (const DeliveryEvent* event = std::get_if<DeliveryEvent>(&parsed)) {
      attempts += std::holds_alternative<Attempt>(event->what) ? 1U : 0U;
    }
  }
  EXPECT_EQ(attempts, deliveries);
}

// Transactions that must leave no record: the log refuses them, or never shows them alive.
TEST_P(Corpus, RefusedMessagesAreNotConfirmed) {
  const TracePolicy policy{.queue_lifetime = Seconds(432000), .filters = kFilters};
  const auto rows = rows_of("norecord.tsv", GetParam());
  MemoryIndex index;
  std::set<std::string> refused;
  for (const auto& row : rows) {
    const bool aborted = row[2].find("END-OF-MESSAGE") != std::string::npos ||
                         row[2].find("header_checks") != std::string::npos ||
                         row[2].find("refused") != std::string::npos;
    if (row[0] != "-" && aborted && refused.insert(row[0]).second) {
      index.add(row[0], {"nobody@example.test"});
    }
  }
  TraceRouter router(policy);
  const std::string log = read_corpus(GetParam());
  run_log(log, router, index);
  for (const std::string& queue_id : refused) {
    EXPECT_FALSE(index.find(queue_id)->confirmed()) << queue_id;
  }
}

// The trace as the store keeps it, after any event, is the trace.
TEST_P(Corpus, TracesSurviveTheStoreAfterEachEvent) {
  const TracePolicy policy{.queue_lifetime = Seconds(432000), .filters = kFilters};
  struct Coder : MemoryIndex {
    void changed(DeliveryTrace& trace,
                 std::span<const std::size_t> recipients,
                 const DeliveryEvent& event) override {
      MemoryIndex::changed(trace, recipients, event);
      std::string first;
      trace.encode(first);
      std::string_view in = first;
      Expected<DeliveryTrace> again = DeliveryTrace::decode(in);
      ASSERT_TRUE(again.has_value());
      EXPECT_TRUE(in.empty());
      std::string second;
      again->encode(second);
      EXPECT_EQ(first, second);
      trace = std::move(*again);  // goes on with the decoded one
    }
  } index;
  std::map<std::string, std::vector<std::string>> envelopes;
  const auto rows = rows_of("expected.tsv", GetParam());
  for (const auto& row : rows) {
    envelopes[row[0]].push_back(row[1]);
  }
  for (const auto& [queue_id, recipients] : envelopes) {
    index.add(queue_id, recipients);
  }
  TraceRouter router(policy);
  const std::string log = read_corpus(GetParam());
  run_log(log, router, index);
  EXPECT_GT(index.changes, 0u);
  for (const auto& row : rows) {
    DeliveryTrace* trace = index.find(row[0]);
    const Outcome outcome = trace->outcome(*trace->find_recipient(row[1]), policy);
    EXPECT_EQ(to_string(action_of(outcome)), row[2]) << row[0] << " " << row[1];
  }
}

bool is_final(Action action) {
  return action != Action::delayed && action != Action::opaque;
}

// An answer between two lines holds afterwards: no member's fate is told as its alias', say.
TEST_P(Corpus, WhatIsFinalIsNeverTakenBack) {
  const TracePolicy policy{.queue_lifetime = Seconds(432000), .filters = kFilters};
  struct Watcher : MemoryIndex {
    explicit Watcher(const TracePolicy& its_policy) : policy(its_policy) {}
    void changed(DeliveryTrace& trace,
                 std::span<const std::size_t>,
                 const DeliveryEvent& event) override {
      for (std::size_t i = 0; i < trace.recipients().size(); ++i) {
        const Action now = action_of(trace.outcome(i, policy));
        const auto [told, first] = before.emplace(std::pair(&trace, i), now);
        EXPECT_TRUE(first || !is_final(told->second) || told->second == now || trace.handed_back(i))
            << event.queue_id << " " << trace.recipients()[i] << " was " << to_string(told->second)
            << ", is " << to_string(now);
        told->second = now;
      }
    }
    const TracePolicy& policy;
    std::map<std::pair<DeliveryTrace*, std::size_t>, Action> before;
  } index(policy);
  std::map<std::string, std::vector<std::string>> envelopes;
  for (const auto& row : rows_of("expected.tsv", GetParam())) {
    envelopes[row[0]].push_back(row[1]);
  }
  for (const auto& [queue_id, recipients] : envelopes) {
    index.add(queue_id, recipients);
  }
  TraceRouter router(policy);
  const std::string log = read_corpus(GetParam());
  run_log(log, router, index);
  EXPECT_FALSE(index.before.empty());
}

INSTANTIATE_TEST_SUITE_P(Postfix,
                         Corpus,
                         testing::ValuesIn(corpus_logs()),
                         [](const testing::TestParamInfo<std::string>& log) {
                           std::string name = log.param.substr(0, log.param.find('.'));
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace

std::vector<std::string> corpus_logs() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".log") {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string read_corpus(const std::string& name) {
  std::ifstream in(kFolder + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines = split(text, '\n');
  if (!lines.empty() && lines.back().empty()) {
    lines.pop_back();
  }
  return lines;
}

DeliveryTrace& MemoryIndex::add(std::string_view queue_id,
                                std::vector<std::string> recipients,
                                Recipients mode) {
  traces_.push_back(std::make_unique<DeliveryTrace>(*QueueId::parse(queue_id), std::nullopt,
                                                    std::move(recipients), mode));
  bind(queue_id, *traces_.back());
  return *traces_.back();
}

DeliveryTrace* MemoryIndex::find(std::string_view queue_id) {
  const auto it = index_.find(queue_id);
  return it == index_.end() ? nullptr : it->second;
}

void MemoryIndex::bind(std::string_view queue_id, DeliveryTrace& trace) {
  index_.insert_or_assign(std::string(queue_id), &trace);
}

void MemoryIndex::changed(DeliveryTrace&, std::span<const std::size_t>, const DeliveryEvent&) {
  ++changes;
}

LineCounts run_log(std::string_view log, TraceRouter& router, TraceIndex& index, Mta mta) {
  LineCounts counts;
  LogParser parser(mta);
  for (const std::string_view text : lines_of(log)) {
    const std::optional<LogLine> line = split_log_line(text, kCorpusContext);
    const auto route = [&](const DeliveryEvent& event) {
      ++counts.events;
      router.route(event, index);
    };
    switch (line ? parser.parse(*line, route) : LineKind::ignored) {
      case LineKind::events:
        break;
      case LineKind::ignored:
        ++counts.ignored;
        break;
      case LineKind::unparsed:
        ++counts.unparsed;
        break;
    }
  }
  return counts;
}

}  // namespace mtrk::maillog

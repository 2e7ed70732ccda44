#include "common/track/enhanced_status.h"
#include "tests/unit/maillog/corpus.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

// Content filters, and what looks like them (tests/data/logs/filters).
namespace mtrk::maillog {
namespace {

struct Row {
  std::string file, queue_id, recipient, action, status, remote_mta, filters, why;
};

std::vector<Row> all_rows() {
  const std::string table = read_corpus("../filters/expected.tsv");
  std::vector<Row> rows;
  for (const std::string_view line : lines_of(table)) {
    const std::vector<std::string_view> f = split(line, '\t');
    if (f.size() == 8 && f[0] != "file") {
      rows.push_back({std::string(f[0]), std::string(f[1]), std::string(f[2]), std::string(f[3]),
                      std::string(f[4]), std::string(f[5]), std::string(f[6]), std::string(f[7])});
    }
  }
  return rows;
}

std::vector<std::string> filters_of(const Row& row) {
  return row.filters == "-" ? std::vector<std::string>() : std::vector<std::string>{row.filters};
}

std::string told(const DeliveryTrace& trace, std::size_t recipient, const TracePolicy& policy) {
  const OutcomeFields fields = fields_of(trace.outcome(recipient, policy));
  return std::string(to_string(fields.action)) + " " + format_enhanced_status(fields.status) + " " +
         (fields.remote_mta ? fields.remote_mta->name : "-");
}
std::string wanted(const Row& row) {
  return row.action + " " + row.status + " " + row.remote_mta;
}

// Reads the log of `row` for the messages of `queue_ids`; what came of its recipient.
std::string outcome_of(const Row& row,
                       const std::map<std::string, std::vector<std::string>>& envelopes,
                       Recipients mode) {
  const std::vector<std::string> filters = filters_of(row);
  const TracePolicy policy{Seconds(432000), filters};
  MemoryIndex index;
  for (const auto& [queue_id, recipients] : envelopes) {
    index.add(queue_id, mode == Recipients::captured ? recipients : std::vector<std::string>(),
              mode);
  }
  TraceRouter router(policy);
  run_log(read_corpus("../filters/" + row.file), router, index);
  const DeliveryTrace& trace = *index.find(row.queue_id);
  std::string stored;
  trace.encode(stored);
  std::string_view in = stored;
  const auto decoded = DeliveryTrace::decode(in);
  EXPECT_TRUE(decoded);
  const std::optional<std::size_t> recipient = decoded->find_recipient(row.recipient);
  return recipient ? told(*decoded, *recipient, policy) : "not a recipient";
}

TEST(FilterCorpusTest, EachMessageAloneComesOutAsLabelled) {
  const std::vector<Row> rows = all_rows();
  ASSERT_GT(rows.size(), 70U);
  for (const Row& row : rows) {
    for (const Recipients mode : {Recipients::captured, Recipients::collect}) {
      EXPECT_EQ(outcome_of(row, {{row.queue_id, {row.recipient}}}, mode), wanted(row))
          << row.file << " " << row.queue_id << ": " << row.why;
    }
  }
}

TEST(FilterCorpusTest, AllMessagesAtOnceComeOutAsLabelled) {
  const std::vector<Row> rows = all_rows();
  for (const Row& row : rows) {
    std::map<std::string, std::vector<std::string>> envelopes;
    for (const Row& other : rows) {
      if (other.file == row.file) {
        envelopes[other.queue_id].push_back(other.recipient);
      }
    }
    EXPECT_EQ(outcome_of(row, envelopes, Recipients::captured), wanted(row))
        << row.file << " " << row.queue_id << ": " << row.why;
  }
}

}  // namespace
}  // namespace mtrk::maillog

#include "milter/ctl/find/finder.h"

#include "common/base/ascii.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

// On the labelled logs of both mail systems: each recipient is found by each criterion, with the
// fate that the log's README and `mtrkctl explain` give it.
namespace mtrk::find {
namespace {

const std::string kLogs = MTRK_TEST_DATA "/logs/";

struct Labelled {
  std::string log, queue_id, recipient, action, status, remote, why;
};

std::vector<Labelled> expected_of(const std::string& folder) {
  std::vector<Labelled> rows;
  std::ifstream file(kLogs + folder + "/expected.tsv");
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    Labelled row;
    for (std::string* field : {&row.log, &row.queue_id, &row.recipient, &row.action, &row.status,
                               &row.remote, &row.why}) {
      std::getline(fields, *field, '\t');
    }
    rows.push_back(row);
  }
  return rows;
}

Config test_config() {
  Config config;
  config.log.filters = {"127.0.0.1:10029", "127.0.0.1:10032"};
  return config;
}

bool agrees(const Labelled& want, const Row& row) {
  if (row.action != want.action) {
    return false;
  }
  if (want.status != "*" && want.action != "opaque" && want.action != "expanded") {
    const std::string status = row.status ? format_enhanced_status(*row.status) : "";
    if (("|" + want.status + "|").find("|" + status + "|") == std::string::npos) {
      return false;
    }
  }
  if (want.remote == "none") {
    return row.next_hop.empty();
  }
  if (!want.remote.empty() && want.remote[0] == '?') {
    return row.next_hop.empty() || row.next_hop == want.remote.substr(1);
  }
  return want.remote == "-" || want.remote == "*" || row.next_hop == want.remote;
}

// Sanitizers make a search take long: there each fourth row has to do.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kStep = 4;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::size_t kStep = 4;
#else
constexpr std::size_t kStep = 1;
#endif
#else
constexpr std::size_t kStep = 1;
#endif

std::string words(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    text += "\n    " + row.queue_id + " <" + row.to + "> " + row.action + " " +
            (row.status ? format_enhanced_status(*row.status) : "-") + " " + row.next_hop;
  }
  return text;
}

bool is_in(const std::vector<Row>& rows, const Labelled& want) {
  return std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
    return row.queue_id == want.queue_id &&
           (row.to == want.recipient || AddressPattern::parse(want.recipient)->matches(row.to)) &&
           agrees(want, row);
  });
}

class Corpus {
 public:
  explicit Corpus(const std::string& folder) : folder_(folder), rows_(expected_of(folder)) {}

  // Rows of the corpus that the question does not find, each with what it finds.
  template <typename Ask>
  std::vector<std::string> missed(Ask ask) {
    std::vector<std::string> missed;
    for (std::size_t i = 0; i < rows_.size(); i += kStep) {
      const Labelled& row = rows_[i];
      const std::string log = kLogs + folder_ + "/" + row.log;
      std::vector<std::string> logs{log};
      if (const std::size_t at = log.find("/c31-"); at != std::string::npos) {
        logs.insert(logs.begin(), log.substr(0, at) + "/c30-deferred-then-sent-on-retry.log");
      } else if (const std::size_t last = log.find("/c32-"); last != std::string::npos) {
        logs.insert(logs.begin(), log.substr(0, last) + "/c31-delay-warning.log");
        logs.insert(logs.begin(), log.substr(0, last) + "/c30-deferred-then-sent-on-retry.log");
      }
      Criteria criteria;
      // What is said of this one alone is not what is said of it among others (explain, too).
      // An address that the log has cut off is found by nothing but other criteria.
      const bool odd = row.log.find("g02-addresses-without-quotes") == 0 ||
                       row.log.find("g09-the-status-is-cut-off") == 0 ||
                       row.log.find("h02-list-cut-in-quotes") == 0 ||
                       row.log.find("h03-parts-of-a-record") == 0 ||
                       // That team@ has one member is known only with the message's other address.
                       row.queue_id == "4jZ707000z1V";
      if (odd || !ask(row, logs, criteria)) {
        continue;
      }
      const std::vector<Row> rows = find(logs, criteria);
      ++asked_;
      if (!is_in(rows, row)) {
        missed.push_back(row.log + " " + row.queue_id + " <" + row.recipient + "> " + row.action +
                         " " + row.status + " " + row.remote + " (" + row.why + "):" + words(rows));
      }
    }
    return missed;
  }
  // Whether some line of that queue id names the recipient: else it is found with another criterion
  // only.
  static bool is_named(const Labelled& row, const std::vector<std::string>& logs) {
    // Lines that somebody else wrote, or that are parts of one.
    const std::set<std::string> others = {"1A2B3C4D63", "1A2B3C4D64", "6ALGjYoC029827"};
    bool named = false;
    for (const std::string& path : logs) {
      std::ifstream log(path, std::ios::binary);
      for (std::string line; std::getline(log, line);) {
        named = named || (line.find(row.queue_id) != std::string::npos &&
                          to_lower(line).find(to_lower(row.recipient)) != std::string::npos);
      }
    }
    return named && others.count(row.queue_id) == 0;
  }
  // What the whole message is, as find itself shows it: for the criteria that are not of the row.
  const Row* message_of(const Labelled& row, const std::vector<std::string>& logs) {
    std::vector<Row>& rows = all_[logs.back()];
    if (rows.empty()) {
      rows = find(logs, {});
    }
    const auto is_it = [&](const Row& one) {
      return one.queue_id == row.queue_id && one.action != "refused" && one.action != "discarded";
    };
    auto its = std::find_if(rows.begin(), rows.end(),
                            [&](const Row& one) { return is_it(one) && one.to == row.recipient; });
    its = its == rows.end() ? std::find_if(rows.begin(), rows.end(), is_it) : its;
    return its == rows.end() ? nullptr : &*its;
  }
  [[nodiscard]] std::size_t asked() const { return asked_; }

 private:
  static std::vector<Row> find(const std::vector<std::string>& paths, const Criteria& criteria) {
    FinderOptions options;
    options.config = test_config();
    LogSet logs(paths, options.config.log);
    return find_rows(logs, criteria, options).rows;
  }

  std::string folder_;
  std::vector<Labelled> rows_;
  std::map<std::string, std::vector<Row>> all_;
  std::size_t asked_ = 0;
};

class FinderTest : public testing::TestWithParam<const char*> {};

TEST_P(FinderTest, FindsEachRecipientByItsAddress) {
  Corpus corpus(GetParam());
  for (const std::string& row :
       corpus.missed([](const Labelled&row, const auto&logs, Criteria&criteria) {
         criteria.to = *AddressPattern::parse(row.recipient);
         return Corpus::is_named(row, logs);
       })) {
    ADD_FAILURE() << row;
  }
  EXPECT_GT(corpus.asked(), 0U);
}

TEST_P(FinderTest, FindsEachRecipientByItsSender) {
  Corpus corpus(GetParam());
  for (const std::string& row :
       corpus.missed([&](const Labelled&row, const auto&logs, Criteria&criteria) {
         const Row* message = corpus.message_of(row, logs);
         if (message == nullptr || !message->from) {
           return false;
         }
         criteria.from =
             *AddressPattern::parse(message->from->empty() ? "<>" : std::string(*message->from));
         criteria.to = *AddressPattern::parse(row.recipient);
         return true;
       })) {
    ADD_FAILURE() << row;
  }
}

TEST_P(FinderTest, FindsEachRecipientByItsQueueIdAndItsPeriod) {
  Corpus corpus(GetParam());
  for (const std::string& row :
       corpus.missed([&](const Labelled&row, const auto&logs, Criteria&criteria) {
         const Row* message = corpus.message_of(row, logs);
         if (message == nullptr) {
           return false;
         }
         criteria.queue_id = row.queue_id;
         criteria.to = *AddressPattern::parse(row.recipient);
         criteria.period.since = message->arrival;
         criteria.period.until = message->arrival + Microseconds(1);
         return true;
       })) {
    ADD_FAILURE() << row;
  }
}

INSTANTIATE_TEST_SUITE_P(Logs,
                         FinderTest,
                         testing::Values("postfix",
                                         "sendmail",
                                         "headers",
                                         "forged-postfix",
                                         "forged-sendmail",
                                         "odd-postfix",
                                         "odd-sendmail"),
                         [](const auto& values) {
                           std::string name = values.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace mtrk::find

#include "common/maillog/log_format_tally.h"
#include "common/maillog/log_line.h"
#include "common/maillog/log_parser.h"
#include "tests/unit/maillog/corpus.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

// The same few records behind every header that is known (tests/data/logs/headers): each file says
// what the plain one says.
namespace mtrk::maillog {
namespace {

const std::string kFolder = MTRK_TEST_DATA "/logs/headers/";

std::string read_form(const std::string& name) {
  std::ifstream file(kFolder + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> names_of_forms() {
  std::vector<std::string> names;
  const std::string table = read_form("expected.tsv");
  for (const std::string_view row : lines_of(table)) {
    if (const std::string_view name = split(row, '\t').at(0); name != "file") {
      names.emplace_back(name);
    }
  }
  return names;
}

// What a signature has.
struct Detail {
  bool day = true;
  bool agent = true;
};

struct Reading {
  std::vector<std::string> events;
  LogFormatTally format;
  std::size_t unparsed = 0;
};

std::string signature(const DeliveryEvent& event, Detail detail) {
  const std::string time = format_rfc3339(std::chrono::floor<Seconds>(event.at));
  std::string text = detail.day ? time : time.substr(time.find('T'));
  text += " " + std::string(event_name(event)) + " " + std::string(event.queue_id);
  if (const Attempt* attempt = std::get_if<Attempt>(&event.what)) {
    for (const std::string_view field : {detail.agent ? attempt->agent : "", attempt->recipient,
                                         attempt->relay, attempt->status, attempt->text}) {
      text += " | " + std::string(field);
    }
  }
  if (const Queued* queued = std::get_if<Queued>(&event.what)) {
    text += " | " + std::string(queued->sender) + " | " + std::string(queued->client);
  }
  return text;
}

Reading read(std::string_view log, Detail detail = {}) {
  Reading reading;
  const std::optional<Mta> mta = guess_mta(log, kCorpusContext);
  LogParser parser(mta.value_or(Mta::postfix));
  StampMemo memo;
  while (!log.empty()) {
    const std::size_t feed = std::min(log.find('\n'), log.size());
    const std::string_view text = log.substr(0, feed);
    log.remove_prefix(std::min(feed + 1, log.size()));
    const std::optional<LogLine> line = split_log_line(text, kCorpusContext, &memo);
    if (!line) {
      reading.format.unknown(text);
      continue;
    }
    const LineKind kind = parser.parse(*line, [&](const DeliveryEvent& event) {
      reading.events.push_back(signature(event, detail));
    });
    reading.unparsed += kind == LineKind::unparsed ? 1U : 0U;
    reading.format.known(text, *line, kind);
  }
  return reading;
}

TEST(HeaderFormsTest, EachSaysWhatThePlainOneSays) {
  for (const std::string& name : names_of_forms()) {
    SCOPED_TRACE(name);
    const bool sendmail = name.find("sendmail") != std::string::npos;
    // It is of another day; and macOS' log does not tell that the program is Postfix's.
    const Detail detail{.day = name != "stamp-one-digit-day.log",
                        .agent = name != "macos-default.log"};
    const Reading plain = read(read_form(sendmail ? "plain-sendmail.log" : "plain.log"), detail);
    const Reading got = read(read_form(name), detail);
    EXPECT_EQ(got.events, plain.events);
    EXPECT_EQ(got.unparsed, 0U);
    EXPECT_TRUE(got.format.mail());
    EXPECT_EQ(got.format.unknown_lines(), 0U) << got.format.example();
  }
}

TEST(HeaderFormsTest, EachFileIsInTheTable) {
  const std::vector<std::string> names = names_of_forms();
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".log") {
      EXPECT_NE(std::find(names.begin(), names.end(), entry.path().filename()), names.end())
          << entry.path();
    }
  }
}

// In one file after the other: no form needs the lines before to be of it.
TEST(HeaderFormsTest, FormsMayFollowEachOther) {
  std::string all;
  std::size_t files = 0;
  for (const std::string& name : names_of_forms()) {
    if (name.find("sendmail") == std::string::npos) {
      all += read_form(name);
      ++files;
    }
  }
  EXPECT_EQ(read(all).events.size(), files * read(read_form("plain.log")).events.size());
}

TEST(HeaderFormsTest, ToleratesLinesCutAnywhere) {
  for (const std::string& name : names_of_forms()) {
    const std::string log = read_form(name);
    const std::string_view first = lines_of(log).at(0);
    for (std::size_t length = 0; length <= first.size(); ++length) {
      const std::string cut(first.substr(0, length));
      StampMemo memo;
      const std::optional<LogLine> line = split_log_line(cut, kCorpusContext, &memo);
      if (line && !line->text.empty() && memo.decoded.empty()) {
        EXPECT_LE(line->text.data() + line->text.size(), cut.data() + cut.size()) << name;
      }
    }
  }
}

}  // namespace
}  // namespace mtrk::maillog

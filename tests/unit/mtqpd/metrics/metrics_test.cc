#include "mtqpd/metrics/metrics.h"

#include "common/net/listener.h"
#include "mtqpd/metrics/listener.h"
#include "mtqpd/metrics/log_budget.h"
#include "mtqpd/metrics/stats_file.h"
#include "tests/support/test_certificate.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace mtrk::mtqpd {
namespace {

Metrics some() {
  ServerCounters counters;
  counters.add(ServerCounters::connections, 7);
  counters.add(ServerCounters::found);
  counters.add(ServerCounters::found);
  Metrics metrics;
  counters.add_to(metrics.counters);
  metrics.open_connections = 3;
  metrics.store_available = true;
  metrics.log_current = false;
  return metrics;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(MetricsTest, EveryCounterHasATextAndOneLine) {
  const std::string text = format_stats(some());
  for (const CounterText& counter : counter_texts()) {
    EXPECT_FALSE(counter.help.empty());
    EXPECT_TRUE(has("\n" + text, "\n" + std::string(counter.name) + " ")) << counter.name;
  }
  EXPECT_TRUE(has(text, "connections 7\n"));
  EXPECT_TRUE(has(text, "found 2\n"));
  EXPECT_TRUE(has(text, "open_connections 3\n"));
}

TEST(MetricsTest, OpenMetricsIsWellFormed) {
  const std::string text = format_openmetrics(some());
  EXPECT_TRUE(has(text, "# TYPE mtqpd_found counter\n"));
  EXPECT_TRUE(has(text, "\nmtqpd_found_total 2\n"));
  EXPECT_TRUE(has(text, "\nmtqpd_store_available 1\n"));
  EXPECT_TRUE(has(text, "\nmtqpd_log_current 0\n"));
  EXPECT_TRUE(text.ends_with("\n# EOF\n"));
  // Every sample stands behind the type of its family.
  std::istringstream in(text);
  std::string family;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# TYPE ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
    } else if (!line.starts_with('#')) {
      EXPECT_TRUE(line.starts_with(family)) << line;
    }
  }
}

TEST(MetricsTest, AnswersHttp) {
  const struct {
    const char* head;
    const char* status;
    bool body;
  } rows[] = {
      {"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "200", true},
      {"GET /metrics?x=1 HTTP/1.0\n\n", "200", true},
      {"HEAD /metrics HTTP/1.1\r\n\r\n", "200", false},
      {"GET / HTTP/1.1\r\n\r\n", "404", false},
      {"GET /metrics/.. HTTP/1.1\r\n\r\n", "404", false},
      {"POST /metrics HTTP/1.1\r\n\r\n", "405", false},
      {"GET /metrics\r\n\r\n", "400", false},
      {"GET /metrics HTTP/2\r\n\r\n", "400", false},
      {"", "400", false},
      {"\r\n\r\n", "400", false},
      {" ", "400", false},
      {"TRACK a@b YWJj\r\n", "400", false},
  };
  for (const auto& row : rows) {
    const std::string answer = answer_http(row.head, "BODY");
    EXPECT_TRUE(answer.starts_with(std::string("HTTP/1.1 ") + row.status)) << row.head << answer;
    EXPECT_EQ(answer.ends_with("\r\n\r\nBODY"), row.body) << row.head;
    EXPECT_TRUE(has(answer, "Connection: close\r\n"));
  }
}

TEST(MetricsTest, NothingOfTheRequestIsEchoed) {
  const std::string answer = answer_http("GET /<script>\r\nX: evil\r\n\r\n", "BODY");
  EXPECT_FALSE(has(answer, "script"));
  EXPECT_FALSE(has(answer, "evil"));
}

TEST(MetricsTest, HeadEndsAtAnEmptyLineOrWhenItIsTooLong) {
  EXPECT_FALSE(http_head_ended("GET / HTTP/1.1\r\nA: b\r\n"));
  EXPECT_TRUE(http_head_ended("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(http_head_ended("GET / HTTP/1.1\n\n"));
  EXPECT_FALSE(http_head_ended(std::string(kMaxHttpHead - 1, 'x')));
  EXPECT_TRUE(http_head_ended(std::string(kMaxHttpHead, 'x')));
}

// A listener in a thread of its own, and clients that ask it.
class MetricsListenerTest : public ::testing::Test {
 protected:
  MetricsListenerTest() {
    listener_.start();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~MetricsListenerTest() override {
    context_.stop();
    thread_.join();
  }
  net::Socket connect() {
    net::Socket client(clients_);
    client.connect(listener_.address());
    return client;
  }
  std::string scrape() {
    net::Socket client = connect();
    net::asio::write(client, net::asio::buffer(std::string("GET /metrics HTTP/1.1\r\n\r\n")));
    std::string answer;
    net::error_code end;
    net::asio::read(client, net::asio::dynamic_buffer(answer), end);
    return answer;
  }

  net::asio::io_context context_;
  net::asio::io_context clients_;
  MetricsListener listener_{context_, *net::parse_endpoint("127.0.0.1:0"), [] { return "BODY"; }};
  std::thread thread_;
};

TEST_F(MetricsListenerTest, SilentConnectionsKeepNobodyWaiting) {
  std::vector<net::Socket> silent;
  for (const char* const begun : {"", "GET /metrics HTT", "x"}) {
    for (unsigned i = 0; i < 200; ++i) {
      silent.push_back(connect());
      net::error_code ignored;
      net::asio::write(silent.back(), net::asio::buffer(std::string(begun)), ignored);
    }
    const auto before = std::chrono::steady_clock::now();
    EXPECT_TRUE(scrape().ends_with("BODY"));
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(4));
  }
  // The oldest have been ended, nobody waits for their five seconds.
  char octet = 0;
  net::error_code error;
  silent.front().read_some(net::asio::buffer(&octet, 1), error);
  EXPECT_TRUE(error);
}

TEST_F(MetricsListenerTest, ServesOneAfterTheOther) {
  for (unsigned i = 0; i < 300; ++i) {
    ASSERT_TRUE(scrape().ends_with("BODY")) << i;
  }
}

TEST(StatsFileTest, ReplacesTheFileAndTellsAFailureOnce) {
  const test::TemporaryFolder folder;
  StatsFile file(folder.file("stats"));
  EXPECT_EQ(file.write("a 1\n"), "");
  EXPECT_EQ(file.write("a 2\n"), "");
  std::ifstream in(folder.file("stats"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "a 2\n");
  EXPECT_FALSE(std::filesystem::exists(folder.file("stats.new")));
  StatsFile nowhere(folder.file("no/stats"));
  EXPECT_TRUE(has(nowhere.write("a 1\n"), "no/stats"));
  EXPECT_EQ(nowhere.write("a 1\n"), "");
  EXPECT_EQ(StatsFile("").write("a 1\n"), "");
}

TEST(LogBudgetTest, CountsWhatItLeavesOut) {  // THR-D11
  LogBudget budget;
  for (unsigned i = 0; i < LogBudget::kLines; ++i) {
    EXPECT_TRUE(budget.take());
  }
  EXPECT_FALSE(budget.take());
  EXPECT_FALSE(budget.take());
  EXPECT_EQ(budget.refill(), 2U);
  EXPECT_TRUE(budget.take());
  EXPECT_EQ(budget.refill(), 0U);
}

}  // namespace
}  // namespace mtrk::mtqpd

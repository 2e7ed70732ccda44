#include "mtqpd/metrics/metrics.h"

#include <fmt/format.h>

#include <iterator>
#include <vector>

namespace mtrk::mtqpd {
namespace {

struct Gauge {
  std::string_view name;
  std::string_view help;
  std::uint64_t value;
};

std::vector<Gauge> gauges(const Metrics& metrics) {
  std::vector<Gauge> all{
      {"open_connections", "Connections at the moment.", metrics.open_connections},
      {"sources", "Networks that are connected or owe a penalty.", metrics.sources},
      {"store_available", "1 while the store can be read.",
       metrics.store_available ? std::uint64_t{1} : 0},
  };
  if (metrics.log_current) {
    all.push_back({"log_current",
                   "1 while mtrk-milter can read the log and lines come with the mail.",
                   *metrics.log_current ? std::uint64_t{1} : 0});
  }
  return all;
}

std::string response(std::string_view status, std::string_view type, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
      "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
      status, type, body.size());
}

std::string refusal(std::string_view status) {
  const std::string body = fmt::format("{}\n", status);
  return response(status, "text/plain; charset=utf-8", body) + body;
}

}  // namespace

std::string format_stats(const Metrics& metrics) {
  std::string text;
  for (std::size_t i = 0; i < ServerCounters::kNames; ++i) {
    fmt::format_to(std::back_inserter(text), "{} {}\n", counter_texts()[i].name,
                   metrics.counters[i]);
  }
  for (const Gauge& gauge : gauges(metrics)) {
    fmt::format_to(std::back_inserter(text), "{} {}\n", gauge.name, gauge.value);
  }
  return text;
}

std::string format_openmetrics(const Metrics& metrics) {
  std::string text;
  for (std::size_t i = 0; i < ServerCounters::kNames; ++i) {
    const CounterText& counter = counter_texts()[i];
    fmt::format_to(std::back_inserter(text),
                   "# TYPE mtqpd_{0} counter\n# HELP mtqpd_{0} {1}\nmtqpd_{0}_total {2}\n",
                   counter.name, counter.help, metrics.counters[i]);
  }
  for (const Gauge& gauge : gauges(metrics)) {
    fmt::format_to(std::back_inserter(text),
                   "# TYPE mtqpd_{0} gauge\n# HELP mtqpd_{0} {1}\nmtqpd_{0} {2}\n", gauge.name,
                   gauge.help, gauge.value);
  }
  return text += "# EOF\n";
}

bool http_head_ended(std::string_view input) {
  return input.size() >= kMaxHttpHead || input.find("\r\n\r\n") != std::string_view::npos ||
         input.find("\n\n") != std::string_view::npos;
}

std::string answer_http(std::string_view head, std::string_view body) {
  std::string_view line = head.substr(0, head.find_first_of("\r\n"));
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end == method_end ||
      !line.substr(target_end + 1).starts_with("HTTP/1.")) {
    return refusal("400 Bad Request");
  }
  const std::string_view method = line.substr(0, method_end);
  std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  target = target.substr(0, target.find('?'));
  if (method != "GET" && method != "HEAD") {
    return refusal("405 Method Not Allowed");
  }
  if (target != "/metrics") {
    return refusal("404 Not Found");
  }
  std::string out =
      response("200 OK", "application/openmetrics-text; version=1.0.0; charset=utf-8", body);
  if (method == "GET") {
    out += body;
  }
  return out;
}

}  // namespace mtrk::mtqpd

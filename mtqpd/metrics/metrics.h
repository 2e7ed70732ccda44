#pragma once

#include "mtqpd/metrics/counters.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What mtqpd tells about itself, as text. Numbers only: no address, no id, no name of anybody.
namespace mtrk::mtqpd {

struct Metrics {
  ServerCounters::Values counters{};
  std::uint64_t open_connections = 0;
  std::uint64_t sources = 0;  // networks the limiter knows
  bool store_available = false;
  // By mtrk-milter's counters; nothing where they cannot be read.
  std::optional<bool> log_current = std::nullopt;
};

// "name value" lines, for `mtrkctl stats`.
[[nodiscard]] std::string format_stats(const Metrics& metrics);
// OpenMetrics 1.0, for Prometheus and its relatives.
[[nodiscard]] std::string format_openmetrics(const Metrics& metrics);

inline constexpr std::size_t kMaxHttpHead = 4096;

// Whether `input` holds a whole request head, or so much that there will be none.
[[nodiscard]] bool http_head_ended(std::string_view input);
// The whole response to a request head of a browser or scraper: `body` to GET /metrics, its head to
// HEAD, 4xx to anything else. The connection is to be closed after it.
[[nodiscard]] std::string answer_http(std::string_view head, std::string_view body);

}  // namespace mtrk::mtqpd

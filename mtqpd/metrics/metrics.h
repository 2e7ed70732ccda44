#pragma once

#include "mtqpd/metrics/counters.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Formats mtqpd's own numbers as text. They contain no address, no id and no name.
namespace mtrk::mtqpd {

struct Metrics {
  ServerCounters::Values counters{};
  std::uint64_t open_connections = 0;
  std::uint64_t sources = 0;  // networks that the limiter has entries for
  bool store_available = false;
  // This comes from mtrk-milter's counters; nothing if they cannot be read.
  std::optional<bool> log_current = std::nullopt;
};

// Returns "name value" lines, for `mtrkctl stats`.
[[nodiscard]] std::string format_stats(const Metrics& metrics);
// Returns OpenMetrics 1.0, for Prometheus and compatible scrapers.
[[nodiscard]] std::string format_openmetrics(const Metrics& metrics);

inline constexpr std::size_t kMaxHttpHead = 4096;

// Returns true if `input` holds a whole request head, or so many octets that no head will follow.
[[nodiscard]] bool http_head_ended(std::string_view input);
// Returns the whole response to a request head: `body` for GET /metrics, only the header for HEAD,
// 4xx for anything else. The caller closes the connection after it.
[[nodiscard]] std::string answer_http(std::string_view head, std::string_view body);

}  // namespace mtrk::mtqpd

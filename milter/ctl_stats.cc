#include "milter/ctl_stats.h"

#include "common/base/exit_code.h"
#include "common/base/time.h"
#include "common/store/tracking_reader.h"
#include "milter/counters.h"
#include "milter/ctl_store.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <array>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mtrk {
namespace {

// What mtrk-milter counted since it started, or nothing where none has run yet.
std::vector<std::pair<std::string, std::uint64_t>> milter_counters(const Config& config) {
  std::ifstream file(counters_path(config.store.path));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return parse_counters(text).value_or(std::vector<std::pair<std::string, std::uint64_t>>());
}

}  // namespace

int run_stats(const Config& config, StatsFormat format) {
  return with_store_errors([&] {
    const store::StoreStats stats = store::TrackingReader(config.store.path).stats();
    const std::array<std::pair<std::string_view, std::uint64_t>, 6> numbers{{
        {"messages", stats.messages},
        {"traces", stats.traces},
        {"queue_ids", stats.queue_ids},
        {"corrupt", stats.corrupt},
        {"octets_used", stats.octets_used},
        {"octets_max", stats.octets_max},
    }};
    const std::string oldest =
        stats.oldest_expiry == 0
            ? std::string()
            : format_rfc3339(TimePoint(Seconds(static_cast<std::int64_t>(stats.oldest_expiry))));
    const auto counters = milter_counters(config);
    if (format == StatsFormat::json) {
      boost::json::object object;
      for (const auto& [name, value] : numbers) {
        object[{name.data(), name.size()}] = value;
      }
      if (oldest.empty()) {
        object["oldest_expiry"] = nullptr;
      } else {
        object["oldest_expiry"] = oldest;
      }
      boost::json::object& milter = object["milter"].emplace_object();
      for (const auto& [name, value] : counters) {
        milter[name] = value;
      }
      fmt::print("{}\n", boost::json::serialize(object));
      return exit_code::ok;
    }
    for (const auto& [name, value] : numbers) {
      fmt::print("{} {}\n", name, value);
    }
    fmt::print("oldest_expiry {}\n", oldest.empty() ? "-" : oldest);
    for (const auto& [name, value] : counters) {
      fmt::print("milter.{} {}\n", name, value);
    }
    return exit_code::ok;
  });
}

}  // namespace mtrk

#include "milter/ctl/stats.h"

#include "common/base/exit_code.h"
#include "common/base/time.h"
#include "common/store/tracking_reader.h"
#include "milter/base/counters.h"
#include "milter/ctl/privileges.h"
#include "milter/ctl/store.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace mtrk {
namespace {

struct Counted {
  std::string_view by;
  CounterRows rows;
};

// Returns what mtrk-milter and mtqpd have counted since they started, and what mtrkctl ingest has
// counted in all its runs on this store. A program that has not run yet has no rows.
std::array<Counted, 3> all_counters(const Config& config, CounterRows of_mtqpd) {
  return {{{"milter", read_counters_file(counters_path(config.store.path))},
           {"ingest", read_counters_file(ingest_counters_path(config.store.path))},
           {"mtqpd", std::move(of_mtqpd)}}};
}

}  // namespace

int run_stats(const Config& config, StatsFormat format) {
  return with_store_errors([&] {
    // mtqpd's counters are in a folder of its own, which the store's owner may be unable to read.
    CounterRows of_mtqpd = read_counters_file(config.mtqpd.stats_file);
    become_store_owner(config.store.path);
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
    const std::array<Counted, 3> counted = all_counters(config, std::move(of_mtqpd));
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
      for (const auto& [by, rows] : counted) {
        boost::json::object& counters = object[{by.data(), by.size()}].emplace_object();
        for (const auto& [name, value] : rows) {
          counters[name] = value;
        }
      }
      fmt::print("{}\n", boost::json::serialize(object));
      return exit_code::ok;
    }
    for (const auto& [name, value] : numbers) {
      fmt::print("{} {}\n", name, value);
    }
    fmt::print("oldest_expiry {}\n", oldest.empty() ? "-" : oldest);
    for (const auto& [by, rows] : counted) {
      for (const auto& [name, value] : rows) {
        fmt::print("{}.{} {}\n", by, name, value);
      }
    }
    return exit_code::ok;
  });
}

}  // namespace mtrk

#include "mtqpd/mtqp/ask/track.h"

#include "common/base/ascii.h"
#include "common/base/print_error.h"
#include "mtqpd/mtqp/answer/hops.h"
#include "mtqpd/mtqp/answer/json.h"
#include "mtqpd/mtqp/answer/summary.h"
#include "mtqpd/mtqp/ask/ask.h"

#include <fmt/format.h>

#include <langinfo.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace mtrk::cli {
namespace {

std::string local_time(TimePoint at) {
  const std::time_t seconds = at.time_since_epoch().count();
  std::tm fields{};
  char text[sizeof "2001-01-01 15:15:15"];
  if (::localtime_r(&seconds, &fields) == nullptr ||
      std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &fields) == 0) {
    return std::string(sizeof text - 1, '?');
  }
  return text;
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
  return value != nullptr && *value != '\0';
}

// Prints the octets as they came. On a terminal they are escaped, so that none can control it.
void print_raw(std::string_view body) {
  if (::isatty(STDOUT_FILENO) != 1) {
    std::fwrite(body.data(), 1, body.size(), stdout);
    return;
  }
  while (!body.empty()) {
    const std::size_t end = std::min(body.find("\r\n"), body.size());
    fmt::print("{}\n", escape_for_people(body.substr(0, end), mtqp::kMaxLine));
    body.remove_prefix(std::min(end + 2, body.size()));
  }
}

void print(const Travel& travel, const TrackOptions& options) {
  for (std::size_t i = 0; options.json && i < travel.hops.size(); ++i) {
    fmt::print("{}", format_hop(i + 1, travel.hops[i]));
  }
  for (const Hop& hop : travel.hops) {
    if (options.raw && hop.answer() != nullptr) {
      print_raw(hop.answer()->body);
    }
    if (options.raw && hop.failure() != nullptr) {
      print_error("mtqp: {}: {}\n", to_string(hop.server),
                  escape_for_people(hop.failure()->detail));
    }
  }
  if (!options.json && !options.raw) {
    fmt::print("{}", format_timeline(travel, style_of_output(options.color)));
  }
}

}  // namespace

TimelineStyle style_of_output(Color color) {
  TimelineStyle style;
  std::setlocale(LC_CTYPE, "");  // NOLINT(concurrency-mt-unsafe): one thread
  style.unicode = std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
  const char* term = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe)
  const bool plain = is_set("NO_COLOR") || term == nullptr || std::string_view(term) == "dumb";
  style.color = color == Color::always ||
                (color == Color::automatic && ::isatty(STDOUT_FILENO) == 1 && !plain);
  style.time = local_time;
  return style;
}

int run_track(const TrackOptions& options) {
  return with_asker(options, [&](Asker& asker) {
    const Travel travelled = asker.run();
    print(travelled, options);
    return exit_code_of(travelled);
  });
}

int run_status(const StatusOptions& options) {
  return with_asker(options, [&](Asker& asker) {
    const Travel travelled = asker.run();
    if (options.json) {
      fmt::print("{}", format_merged(travelled));
    } else {
      fmt::print("{}\n", summary_line(travelled));
    }
    return exit_code_of(travelled);
  });
}

}  // namespace mtrk::cli

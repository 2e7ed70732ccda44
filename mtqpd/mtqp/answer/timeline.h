#pragma once

#include "mtqpd/mtqp/answer/hops.h"

#include <functional>
#include <string>

namespace mtrk::cli {

struct TimelineStyle {
  bool unicode = false;  // check marks, arrows, addresses in all scripts; else plain ASCII
  bool color = false;
  // Formats an instant; all results have the same width.
  std::function<std::string(TimePoint)> time;
};

// Returns for people what became of every recipient, stage by stage, with the names of the servers
// that said so (MTSN-4.1-01). Every text that came from a server passes escape_for_people().
[[nodiscard]] std::string format_timeline(const Travel& travel, const TimelineStyle& style);

}  // namespace mtrk::cli

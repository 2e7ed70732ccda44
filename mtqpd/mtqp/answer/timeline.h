#pragma once

#include "mtqpd/mtqp/answer/hops.h"

#include <functional>
#include <string>

namespace mtrk::cli {

struct TimelineStyle {
  bool unicode = false;  // check marks, arrows, addresses in all scripts; or plain ASCII
  bool color = false;
  std::function<std::string(TimePoint)> time;  // how instants are shown, all of the same width
};

// What became of every recipient, stage by stage, for people. Every text that came from a server
// passes escape_for_people. Names the servers that said it (MTSN-4.1-01).
[[nodiscard]] std::string format_timeline(const Travel& travel, const TimelineStyle& style);

}  // namespace mtrk::cli

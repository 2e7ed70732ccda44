#pragma once

#include "common/base/time.h"

#include <string>
#include <string_view>
#include <vector>

// The message that mtqp send submits. Pure.
namespace mtrk::cli {

struct MessageFields {  // for a header section, where the input has none
  std::string from;
  std::vector<std::string> to;
  std::string message_id;  // without angle brackets
  TimePoint date;
};

// `input` as it is if it begins with a header field; otherwise behind a minimal header section
// (with MIME fields if it is not ASCII).
[[nodiscard]] std::string complete_message(std::string_view input, const MessageFields& fields);

[[nodiscard]] bool is_ascii(std::string_view text);

}  // namespace mtrk::cli

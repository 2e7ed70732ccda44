#pragma once

#include "common/base/time.h"

#include <string>
#include <string_view>
#include <vector>

// Makes the message that mtqp send submits. Pure.
namespace mtrk::cli {

// These fields are used for an input that has no header section.
struct MessageFields {
  std::string from;
  std::vector<std::string> to;
  std::string message_id;  // without angle brackets
  TimePoint date;
};

// Returns `input` as it is if it begins with a header field; otherwise after a minimal header
// section (with MIME fields if it is not ASCII).
[[nodiscard]] std::string complete_message(std::string_view input, const MessageFields& fields);

[[nodiscard]] bool is_ascii(std::string_view text);

}  // namespace mtrk::cli

#pragma once

#include "common/maillog/delivery_event.h"
#include "common/maillog/log_line.h"

#include <variant>

// parse_postfix() parses the log lines of Postfix from the left by position, field by field, with
// regard to quotes. The remote side writes part of every line (addresses, reply text). Therefore
// nothing is searched for, and nothing after "status=WORD (" is ever taken for a field.
namespace mtrk::maillog {

struct Ignored {};  // not about a delivery
// The line looks like a delivery line of an agent, but does not match; it is counted and shown.
struct Unparsed {};

using ParsedLine = std::variant<DeliveryEvent, Ignored, Unparsed>;

// Runs in linear time, never allocates and never throws. Our own lines and those of programs that
// do not belong to Postfix are Ignored.
[[nodiscard]] ParsedLine parse_postfix(const LogLine& line);

// Does the same for a reader of many lines, which fills one event again and again, because making
// one costs as much as parsing a line. The content of `event` is meaningless unless
// LineKind::events is returned.
[[nodiscard]] LineKind parse_postfix(const LogLine& line, DeliveryEvent& event);

}  // namespace mtrk::maillog

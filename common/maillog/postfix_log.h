#pragma once

#include "common/maillog/delivery_event.h"
#include "common/maillog/log_line.h"

#include <variant>

// The grammar of Postfix's log lines, read from the left by position, field by field, quotes in
// mind. The remote side writes part of every line (addresses, reply text): nothing is searched for,
// and nothing after status=WORD ( is ever taken for a field.
namespace mtrk::maillog {

struct Ignored {};   // not about a delivery
struct Unparsed {};  // looks like a delivery line of an agent, but does not match: counted, shown

using ParsedLine = std::variant<DeliveryEvent, Ignored, Unparsed>;

// Linear in the line; never allocates, never throws. Lines of programs that are not Postfix's, and
// our own, are Ignored.
[[nodiscard]] ParsedLine parse_postfix(const LogLine& line);

// The same for a reader of many lines, which keeps one event to be filled again and again: to make
// one costs as much as to parse a line. Unless a line is an event, what `event` holds then is
// meaningless.
[[nodiscard]] LineKind parse_postfix(const LogLine& line, DeliveryEvent& event);

}  // namespace mtrk::maillog

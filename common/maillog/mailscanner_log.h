#pragma once

#include "common/maillog/delivery_event.h"
#include "common/maillog/log_line.h"

// These functions read the lines of MailScanner. It takes messages out of Postfix's hold queue and
// writes each into a new queue file of its own. Postfix never logs what became of the old queue id;
// only MailScanner's line says so.
namespace mtrk::maillog {

// Parses "Requeue: OLD[.KEY] to NEW" of a program whose tag is MailScanner's: NEW continues where
// OLD ended, as after `postsuper -r`. Returns false for anything else, in particular for all lines
// of other programs.
[[nodiscard]] bool parse_mailscanner(const LogLine& line, DeliveryEvent& event);

// Returns whether `program` is MailScanner's tag, as its distributions write it.
[[nodiscard]] bool is_mailscanner(std::string_view program);

}  // namespace mtrk::maillog

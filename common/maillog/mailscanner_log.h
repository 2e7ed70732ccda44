#pragma once

#include "common/maillog/delivery_event.h"
#include "common/maillog/log_line.h"

// MailScanner takes messages out of Postfix's hold queue and writes each into a queue file of its
// own making. Postfix never logs what became of the old queue id: only MailScanner's line does.
namespace mtrk::maillog {

// "Requeue: OLD[.KEY] to NEW" of a program that is MailScanner by its tag: NEW goes on where OLD
// ended, as after `postsuper -r`. False for anything else; the line of another program never is
// one, whatever it says.
[[nodiscard]] bool parse_mailscanner(const LogLine& line, DeliveryEvent& event);

// Its name in the log, as the distributions of it write that.
[[nodiscard]] bool is_mailscanner(std::string_view program);

}  // namespace mtrk::maillog

#pragma once

#include "common/base/time.h"
#include "common/maillog/log_line.h"
#include "common/track/enhanced_status.h"

#include <optional>
#include <string_view>

// A Refusal is mail that was never accepted, or that was thrown away after it was. A help desk is
// asked about such mail as often as about accepted mail. Pure.
//
//   Postfix   NOQUEUE: reject: RCPT from mx.example.org[192.0.2.7]: 550 5.1.1 <bob@example.net>:
//               Recipient address rejected: …; from=<a@b> to=<bob@example.net> proto=ESMTP helo=<h>
//             … milter-reject:, milter-discard:, discard:, proxy-reject:, with a queue id or
//             NOQUEUE; smtpd(8), cleanup(8) and postscreen(8), which puts commas between the fields
//   Sendmail  ID: ruleset=check_rcpt, arg1=<bob@example.net>, relay=mx.example.org [192.0.2.7],
//               reject=550 5.7.1 …; Milter: to=<a@b>, reject=…; Milter: data, reject=…;
//               <bob@example.net>... User unknown
//
// The other side writes most of such a line. So its fields are shown, but no outcome of any message
// is concluded from them.
namespace mtrk::find {

struct Refusal {
  LogTime at;
  std::string_view queue_id;  // empty if the message never had one
  bool discarded = false;     // the client got a 250, and the message was thrown away
  std::string_view stage;     // "RCPT", "END-OF-MESSAGE", "header"; Sendmail: the ruleset, "Milter"
  std::string_view client;    // as in the log; empty if the line does not say
  std::string_view reply;     // "550 5.1.1 <bob@example.net>: …"
  std::optional<EnhancedStatus> status;
  std::optional<std::string_view> from, to;  // empty if the line does not say
  std::string_view user;                     // from sasl_username=
  std::string_view host;                     // of the log line
};

// Returns nothing if the line is not a refusal or its program does not belong to the mail system.
// The time is linear, and the views point into the line. `queue_id` is what stands at the front of
// the record (queue_id_of()).
[[nodiscard]] std::optional<Refusal> parse_refusal(const maillog::LogLine& line);

// Returns whether a record may be a refusal. This check is cheap enough for every line.
[[nodiscard]] bool may_be_refusal(std::string_view record);

}  // namespace mtrk::find

#pragma once

#include "common/base/time.h"
#include "common/maillog/log_line.h"
#include "common/track/enhanced_status.h"

#include <optional>
#include <string_view>

// Mail that was never taken in, or thrown away when it had been: what a help desk is asked about as
// often as about mail that was. Pure.
//
//   Postfix   NOQUEUE: reject: RCPT from mx.example.org[192.0.2.7]: 550 5.1.1 <bob@example.net>:
//               Recipient address rejected: …; from=<a@b> to=<bob@example.net> proto=ESMTP helo=<h>
//             … milter-reject:, milter-discard:, discard:, proxy-reject:, with a queue id or
//             NOQUEUE; smtpd(8), cleanup(8) and postscreen(8), which puts commas between the fields
//   Sendmail  ID: ruleset=check_rcpt, arg1=<bob@example.net>, relay=mx.example.org [192.0.2.7],
//               reject=550 5.7.1 …; Milter: to=<a@b>, reject=…; Milter: data, reject=…;
//               <bob@example.net>... User unknown
//
// The other side writes most of such a line: what is read of it is shown, and no outcome of any
// message is concluded from it.
namespace mtrk::find {

struct Refusal {
  LogTime at;
  std::string_view queue_id;  // empty: the refusal was all that there was
  bool discarded = false;     // the client was told 250, and the message was thrown away
  std::string_view stage;     // "RCPT", "END-OF-MESSAGE", "header"; Sendmail: the ruleset, "Milter"
  std::string_view client;    // as logged; empty where the line does not say
  std::string_view reply;     // "550 5.1.1 <bob@example.net>: …"
  std::optional<EnhancedStatus> status;
  std::optional<std::string_view> from, to;  // where the line says
  std::string_view user;                     // sasl_username=
  std::string_view host;                     // of the log
};

// Nothing if the line is no such one, or has a program that is not the mail system's. Linear; the
// views are into the line. `queue_id` is what stands at the front of the record (queue_id_of()).
[[nodiscard]] std::optional<Refusal> parse_refusal(const maillog::LogLine& line);

// Whether a record may be one: what is cheap to ask of every line.
[[nodiscard]] bool may_be_refusal(std::string_view record);

}  // namespace mtrk::find

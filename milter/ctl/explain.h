#pragma once

#include "common/config/config.h"

#include <optional>
#include <string>
#include <vector>

// `mtrkctl explain`: what became of a queue id, per recipient as given at RCPT, from logs alone.
// One pass over the logs; memory grows with what is asked for, not with the log.
//
// JSON: {"queue_id","recipient","action","status","remote_mta","last_attempt","will_retry_until",
// "via":[…],"lines":[…]}, and the further members that mtrkctl(8) has; what there is not is null;
// remote_mta is the bare name (its type is dns). "recipient" is null for a message of which the log
// names no recipient. A queue id that the logs do not name, or name as refused, and an address that
// is no recipient's have "action":null and "status":null, and the exit code is 1. One queue id may
// be of several messages (of several hosts, or one after the other): a row is answered for each
// that has the recipient.
namespace mtrk {

struct ExplainOptions {
  std::vector<std::string> logs;        // paths in the order to read; "-" is stdin
  Config::Log log;                      // queue_lifetime, filters; mta if nothing tells
  std::vector<std::string> gates;       // [gate.outbound] listen
  std::optional<Mta> mta;               // whose logs they are, if the command line says so
  bool json = false;                    // one object a line instead of the readable timeline
  bool utc = false;                     // times for people in UTC, not in this machine's zone
  std::string queue_id;                 // empty with `batch`
  std::vector<std::string> recipients;  // as given at RCPT; empty = all the log names
  // Rows "queue_id<TAB>recipient[<TAB>…]" ("-" is stdin); a row without recipient asks for all of
  // them; empty lines, lines with '#' and a first line "queue_id<TAB>…" are skipped. A batch is
  // always answered in JSON, in the order of the rows.
  std::optional<std::string> batch;
};

// Exit code (sysexits): 0; 1 something that was asked for is not in the logs, or some delivery line
// was not understood; 64 no usable queue id; 65 a row of the batch is malformed (it is answered
// with null, the others as usual), or a log, or lines of it, are in a format that is unknown; 66 a
// file cannot be opened; 74 reading or writing failed. Never throws.
[[nodiscard]] int run_explain(const ExplainOptions& options);

}  // namespace mtrk

#pragma once

#include "common/config/config.h"

#include <optional>
#include <string>
#include <vector>

// `mtrkctl explain` says what became of a queue id, for each recipient as given at RCPT, from logs
// alone. It makes one pass over the logs. Its memory grows with the number of questions, not with
// the log.
//
// JSON: {"queue_id","recipient","action","status","remote_mta","last_attempt","will_retry_until",
// "via":[…],"lines":[…]} and the further members that mtrkctl(8) describes. What is unknown is
// null. "remote_mta" is the bare name (its type is dns). "recipient" is null for a message whose
// recipients the log does not name. "action" and "status" are null, and the exit code is 1, for a
// queue id that the logs do not name or show as refused, and for an address that is not a
// recipient. One queue id may belong to several messages, of several hosts or one after the other.
// A row is then answered for each message that has the recipient.
namespace mtrk {

struct ExplainOptions {
  std::vector<std::string> logs;        // paths in reading order; "-" is stdin
  Config::Log log;                      // queue_lifetime, filters; mta if nothing else decides
  std::vector<std::string> gates;       // the addresses in [gate.outbound] listen
  std::optional<Mta> mta;               // whose logs they are, if the command line says so
  bool json = false;                    // prints one object per line, not a timeline
  bool utc = false;                     // shows people times in UTC, not in local time
  std::string queue_id;                 // empty with `batch`
  std::vector<std::string> recipients;  // as given at RCPT; if empty, all that the log names
  // The file with the rows "queue_id<TAB>recipient[<TAB>…]"; "-" is stdin. A row without a
  // recipient asks for all of them. Empty lines, lines that begin with '#', and a first line
  // "queue_id<TAB>…" are skipped. A batch is always answered in JSON, in the order of the rows.
  std::optional<std::string> batch;
};

// Returns the exit code (sysexits) and never throws:
//
//   0   everything was answered
//   1   something asked for is not in the logs, or some delivery line was not understood
//   64  there is no usable queue id
//   65  a row of the batch is malformed (it is answered with null, the others as usual), or a log,
//       or some of its lines, are in an unknown format
//   66  a file cannot be opened
//   74  reading or writing failed
[[nodiscard]] int run_explain(const ExplainOptions& options);

}  // namespace mtrk

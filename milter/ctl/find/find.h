#pragma once

#include "common/config/config.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

// `mtrkctl find` says which messages meet the criteria and what became of them, from logs alone. It
// searches (search.h), lets the code of `explain` judge the lines (row.h), and shows a table, one
// JSON object per line, or timelines. The newest message comes last.
//
// JSON: the members of `mtrkctl explain --json` that do not concern the whole message, and "from",
// "message_id", "client", "user" and "arrival", which are null if the log does not say. Some
// members appear only in some rows: "size"; "arrival_is" if the beginning of the message is not in
// these logs; "named":"no" for a recipient that no line names; "target" if the address where the
// mail was sent meets the criterion. Refused mail has the action "refused" or "discarded", and
// "stage"; its "queue_id" is null if it never had one.
namespace mtrk {

struct FindOptions {
  Config config;
  std::vector<std::string> logs;  // if empty, those of log.source with their rotated siblings
  std::optional<Mta> mta;         // whose logs they are, if the command line says so
  // These are as written on the command line, and empty if they were not given.
  std::string from, to, message_id, client, user, queue_id, since, until, action;
  std::size_t limit = 0;  // how many of the newest rows are shown; 0 means all
  bool json = false;
  bool timeline = false;
  bool utc = false;
};

// Returns the exit code (sysexits) and never throws:
//
//   0   something was found
//   1   nothing was found
//   64  a criterion is invalid
//   65  a log, or some of its lines, are in an unknown format, or compressed data are damaged
//       (what is known is shown all the same)
//   66  a log cannot be opened
//   74  reading or writing failed
[[nodiscard]] int run_find(const FindOptions& options);

}  // namespace mtrk

#pragma once

#include "common/config/config.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

// `mtrkctl find`: which messages were that, and what became of them, from logs alone. Searches
// (search.h), lets the machinery of `explain` tell (row.h), and shows a table, JSON objects a line,
// or timelines; the newest last.
//
// JSON: the members of `mtrkctl explain --json` that are not of the message, and "from",
// "message_id", "client", "user", "arrival", null where the log does not say; "size"; "arrival_is"
// where the beginning of the message is not in these logs; "named":"no" of a recipient that no line
// names; "target" where the criterion is true of where it was sent. Mail that was refused has the
// action "refused", or "discarded", and "stage"; "queue_id" is null if it never had one.
namespace mtrk {

struct FindOptions {
  Config config;
  std::vector<std::string> logs;  // empty: those of log.source, with their rotated siblings
  std::optional<Mta> mta;         // whose logs they are, if the command line says so
  // As written on the command line; empty if not given.
  std::string from, to, message_id, client, user, queue_id, since, until, action;
  std::size_t limit = 0;  // the newest so many; 0: all
  bool json = false;
  bool timeline = false;
  bool utc = false;
};

// Exit code (sysexits): 0 found; 1 nothing found; 64 a criterion that is none; 65 a log, or lines
// of it, are in a format that is unknown, or compressed data are damaged (what is known is shown
// all the same); 66 a log cannot be opened; 74 reading or writing failed. Never throws.
[[nodiscard]] int run_find(const FindOptions& options);

}  // namespace mtrk

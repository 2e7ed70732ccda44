#pragma once

#include "common/base/journal.h"
#include "common/config/config.h"
#include "milter/base/counters.h"
#include "milter/log/journal_entry.h"
#include "milter/log/source.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mtrk {

// A LogPlace is a place where a delivery log may be.
struct LogPlace {
  enum class Kind { file, journal };
  Kind kind = Kind::file;
  std::string path;  // of the file, or the directory of a journal; empty for this system's journal

  // Returns "file:/path", "journal" or "journal:/path", which is also the name of the cursor.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] JournalReader::Scope scope() const;  // for a journal only
  bool operator==(const LogPlace&) const = default;
};

// Parses the value of log.source: "file:/path", "journal", "journal:/path". Returns nothing for
// "auto" and any other text.
[[nodiscard]] std::optional<LogPlace> parse_log_place(std::string_view source);

// Says what mtrk-milter cannot do with [log] of a valid configuration; empty if nothing.
[[nodiscard]] std::string log_complaint(const Config& config);

// Says, for people, how the MTA's configuration keeps its log from being understood (THR-G2). Empty
// if it does not, or if the program that this function runs gives no answer within two seconds.
[[nodiscard]] std::string log_warning(const Config& config);

// Returns the places where the log may be, the best first: log.source, or for "auto"
//   1. Postfix's maillog_file, if postconf(1) names one within two seconds: it logs nowhere else;
//   2. this system's journal, if entries of the MTA are in it;
//   3. the first of /var/log/mail.log, /var/log/maillog and /var/log/mail that exists;
//   4. this system's journal, if it has any entries that can be read;
//   5. /var/log/mail.log, which may appear.
// All of 2 to 5 that apply are returned, because a log that was followed before should be followed
// on, but no file whose last line is an hour older than the newest entry in the journal. This
// function runs a program, so call it before there are threads and before the store is open.
[[nodiscard]] std::vector<LogPlace> locate_log(const Config& config);

// Returns the accounts of log.accounts, or else the usual ones of the MTA, as numbers, without
// unknown names.
[[nodiscard]] JournalAccounts journal_accounts(const Config::Log& log);

// Returns when the MTA last wrote to the journal, by the entries that are believed. Returns nothing
// if there are none or the journal cannot be read.
[[nodiscard]] std::optional<LogTime> newest_in_journal(const LogPlace& journal,
                                                       const Config::Log& log);

[[nodiscard]] std::unique_ptr<LogSource> open_log(const LogPlace& place,
                                                  const Config::Log& log,
                                                  const std::optional<store::LogCursor>& resume,
                                                  Counters& counters);

}  // namespace mtrk

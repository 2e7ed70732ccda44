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

// A place where a delivery log may be.
struct LogPlace {
  enum class Kind { file, journal };
  Kind kind = Kind::file;
  std::string path;  // of the file; the directory of a journal, empty for this system's

  // "file:/path", "journal", "journal:/path": also the name of the cursor.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] JournalReader::Scope scope() const;  // of a journal
  bool operator==(const LogPlace&) const = default;
};

// What log.source may be: "file:/path", "journal", "journal:/path"; nothing for "auto" and others.
[[nodiscard]] std::optional<LogPlace> parse_log_place(std::string_view source);

// What mtrk-milter cannot do with [log] of a valid configuration; empty = nothing.
[[nodiscard]] std::string log_complaint(const Config& config);

// How the MTA's configuration keeps its log from being understood (THR-G2), for people;
// empty = it does not, or nobody could say within two seconds. Runs a program.
[[nodiscard]] std::string log_warning(const Config& config);

// Where to look for the log, the best place first: log.source, or for "auto"
//   1. Postfix's maillog_file, if postconf(1) tells one within two seconds: it logs nowhere else;
//   2. this system's journal, if entries of the MTA are in it;
//   3. the first of /var/log/mail.log, /var/log/maillog and /var/log/mail that exists;
//   4. this system's journal, if it has any entries that can be read;
//   5. /var/log/mail.log, which may appear.
// All of 2 to 5 that apply are given, since a log that was followed before should be followed on;
// but no file that was last written an hour before the newest entry in the journal. Runs a program:
// before any thread, before the store is open.
[[nodiscard]] std::vector<LogPlace> locate_log(const Config& config);

// The accounts of log.accounts, or the usual ones of the MTA, as numbers; unknown names are left
// out.
[[nodiscard]] JournalAccounts journal_accounts(const Config::Log& log);

// When the MTA last wrote to the journal, by entries that are believed; nothing if there are none,
// or it cannot be read.
[[nodiscard]] std::optional<LogTime> newest_in_journal(const LogPlace& journal,
                                                       const Config::Log& log);

[[nodiscard]] std::unique_ptr<LogSource> open_log(const LogPlace& place,
                                                  const Config::Log& log,
                                                  const std::optional<store::LogCursor>& resume,
                                                  Counters& counters);

}  // namespace mtrk

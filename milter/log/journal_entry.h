#pragma once

#include "common/base/time.h"
#include "common/config/config.h"

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

// Judges what an entry of the systemd journal is worth, and makes the syslog line that it stands
// for. Any local user may write any text under any name to the journal. But the fields that begin
// with "_" are journald's own, from what the kernel says of the sender, and by those an entry is
// believed (THR-G8, THR-B11). It is the MTA's if it came over syslog from an account of the MTA
// and, as far as journald could still see, from the program that it names. Pure.
namespace mtrk {

struct JournalEntry {
  LogTime at;  // when journald received it
  // These fields are journald's word.
  std::string transport;
  std::string uid;
  std::string pid;
  std::string program;  // _COMM; empty if the process had ended by then
  std::string unit;
  std::string host;
  // These fields are the sender's word.
  std::string identifier;
  std::string message;
  std::string message_id;
  std::string dropped;  // N_DROPPED

  void clear();
  // `field` is "NAME=value"; the first of a name counts.
  void set(std::string_view field);
};

// JournalAccounts are the accounts whose entries are the MTA's, as _UID writes them.
using JournalAccounts = std::set<std::string, std::less<>>;

enum class JournalWorth {
  line,        // the MTA's own
  other,       // another program's
  untrusted,   // names the MTA, but is not its own
  suppressed,  // journald's: entries of the MTA were dropped (RateLimitBurst=)
};

class JournalJudge {
 public:
  JournalJudge(Mta mta, JournalAccounts accounts) : mta_(mta), accounts_(std::move(accounts)) {}

  // Also remembers the units from which the MTA's entries come, because journald drops entries by
  // unit.
  [[nodiscard]] JournalWorth judge(const JournalEntry& entry);

 private:
  [[nodiscard]] bool trusts(const JournalEntry& entry) const;
  [[nodiscard]] bool concerns_mta(const JournalEntry& notice) const;

  Mta mta_;
  JournalAccounts accounts_;
  std::set<std::string> units_;
  std::string last_unit_;
};

// Returns how many entries one of worth `suppressed` stands for; at least 1.
[[nodiscard]] std::uint64_t suppressed_entries(const JournalEntry& entry);

// Appends "STAMP HOST PROGRAM[PID]: TEXT" and a line feed to `lines`. Control characters in the
// text, which could end the line or begin another, become "?".
void append_syslog_line(const JournalEntry& entry, std::string& lines);

}  // namespace mtrk

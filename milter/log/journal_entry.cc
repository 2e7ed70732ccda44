#include "milter/log/journal_entry.h"

#include "common/base/ascii.h"
#include "common/maillog/mailscanner_log.h"

#include <algorithm>
#include <array>
#include <optional>

namespace mtrk {
namespace {

constexpr std::size_t kLongestComm = 15;  // the kernel cuts the name of a process
constexpr std::size_t kMaxUnits = 16;
// This is SD_MESSAGE_JOURNAL_DROPPED: "Suppressed N messages from UNIT".
constexpr std::string_view kDroppedMessage = "a596d6fe7bfa4994828e72309e95d61e";

// Returns true for a tag as MTAs write it, without any character that would be misread before
// "[PID]: ".
bool is_tag(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  return !text.empty() && text.size() <= kLongest &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_alnum(c) || std::string_view("/._@+-").find(c) != std::string_view::npos;
         });
}

// Returns the program that a tag names: smtpd for "postfix/submission/smtpd". A tag without a slash
// is none of Postfix's.
std::string_view postfix_program(std::string_view identifier) {
  const std::size_t slash = identifier.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : identifier.substr(slash + 1);
}

bool is_sendmail(std::string_view name) {
  return name.starts_with("sendmail") || name.starts_with("sm-");
}

// Returns true for scripts, and for programs that any user may run under the user's own account.
// They log, but never a delivery.
bool is_users_tool(std::string_view program) {
  constexpr std::array<std::string_view, 5> kTools = {"postdrop", "postqueue", "sendmail",
                                                      "postfix-script", "postlog"};
  return std::find(kTools.begin(), kTools.end(), program) != kTools.end();
}

bool names_program(const JournalEntry& entry, Mta mta) {
  if (!is_tag(entry.identifier)) {
    return false;
  }
  if (mta == Mta::postfix) {
    const std::string_view named = postfix_program(entry.identifier);
    if (maillog::is_mailscanner(entry.identifier)) {  // it runs under Postfix's account
      return true;
    }
    return !named.empty() &&
           (entry.program.empty() || named.substr(0, kLongestComm) == entry.program);
  }
  // Sendmail's tag may be anything (-L).
  return is_sendmail(entry.program.empty() ? entry.identifier : entry.program);
}

bool pretends(const JournalEntry& entry, Mta mta) {
  if (mta == Mta::postfix) {
    return entry.identifier.starts_with("postfix") &&
           entry.identifier.find('/') != std::string::npos &&
           !is_users_tool(postfix_program(entry.identifier));
  }
  // Users may run sendmail(8), too.
  return is_sendmail(entry.identifier) && !is_sendmail(entry.program);
}

struct FieldPlace {
  std::string_view name;
  std::string JournalEntry::*place;
};
constexpr std::array<FieldPlace, 10> kFields = {{
    {"MESSAGE", &JournalEntry::message},
    {"_TRANSPORT", &JournalEntry::transport},
    {"_UID", &JournalEntry::uid},
    {"_PID", &JournalEntry::pid},
    {"_COMM", &JournalEntry::program},
    {"_SYSTEMD_UNIT", &JournalEntry::unit},
    {"_HOSTNAME", &JournalEntry::host},
    {"SYSLOG_IDENTIFIER", &JournalEntry::identifier},
    {"MESSAGE_ID", &JournalEntry::message_id},
    {"N_DROPPED", &JournalEntry::dropped},
}};

}  // namespace

void JournalEntry::clear() {
  at = {};
  for (const FieldPlace& field : kFields) {
    (this->*field.place).clear();
  }
}

void JournalEntry::set(std::string_view field) {
  const std::size_t equals = field.find('=');
  const std::string_view name = field.substr(0, equals);
  if (equals == std::string_view::npos) {
    return;
  }
  const std::string_view value = field.substr(equals + 1);
  if (name == "_SOURCE_REALTIME_TIMESTAMP") {
    if (const auto micros = parse_number<std::int64_t>(value); micros && *micros > 0) {
      at = LogTime(Microseconds(*micros));
    }
    return;
  }
  for (const FieldPlace& known : kFields) {
    if (known.name == name) {
      std::string& place = this->*known.place;
      if (place.empty()) {
        place = value;
      }
      return;
    }
  }
}

JournalWorth JournalJudge::judge(const JournalEntry& entry) {
  if (entry.transport == "driver" && entry.message_id == kDroppedMessage) {
    return concerns_mta(entry) ? JournalWorth::suppressed : JournalWorth::other;
  }
  if (!trusts(entry)) {
    return pretends(entry, mta_) ? JournalWorth::untrusted : JournalWorth::other;
  }
  if (entry.unit != last_unit_ && units_.size() < kMaxUnits) {
    units_.insert(entry.unit);
    last_unit_ = entry.unit;
  }
  return JournalWorth::line;
}

bool JournalJudge::trusts(const JournalEntry& entry) const {
  return entry.transport == "syslog" && names_program(entry, mta_) && accounts_.contains(entry.uid);
}

bool JournalJudge::concerns_mta(const JournalEntry& notice) const {
  constexpr std::string_view kFrom = " messages from ";
  const std::size_t from = notice.message.find(kFrom);
  if (from == std::string::npos) {
    return true;  // it does not say whose entries were dropped
  }
  const std::string unit = notice.message.substr(from + kFrom.size());
  return units_.contains(unit) || unit.starts_with(mta_ == Mta::postfix ? "postfix" : "sendmail");
}

std::uint64_t suppressed_entries(const JournalEntry& entry) {
  constexpr std::string_view kBefore = "Suppressed ";
  std::string_view number = entry.dropped;
  if (number.empty() && entry.message.starts_with(kBefore)) {
    number = std::string_view(entry.message).substr(kBefore.size());
    number = number.substr(0, number.find(' '));
  }
  return std::max<std::uint64_t>(1, parse_number<std::uint64_t>(number).value_or(1));
}

void append_syslog_line(const JournalEntry& entry, std::string& lines) {
  lines += format_rfc3339(entry.at);
  lines += ' ';
  const bool has_host = !entry.host.empty() && std::all_of(entry.host.begin(), entry.host.end(),
                                                           [](char c) { return is_vchar(c); });
  lines += has_host ? entry.host : "-";
  lines += ' ';
  lines += entry.identifier;
  if (parse_number<std::uint32_t>(entry.pid)) {
    lines += '[';
    lines += entry.pid;
    lines += ']';
  }
  lines += ": ";
  const std::size_t text = lines.size();
  lines += entry.message;
  std::replace_if(
      lines.begin() + static_cast<std::ptrdiff_t>(text), lines.end(),
      [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; }, '?');
  lines += '\n';
}

}  // namespace mtrk

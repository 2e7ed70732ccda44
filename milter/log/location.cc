#include "milter/log/location.h"

#include "common/base/ascii.h"
#include "common/base/journal.h"
#include "milter/base/run_command.h"
#include "milter/log/file_source.h"
#include "milter/log/journal_source.h"

#include <fmt/format.h>

#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <system_error>
#include <utility>

namespace mtrk {
namespace {

constexpr std::string_view kFile = "file:";
constexpr std::string_view kJournal = "journal";
constexpr const char* kUsualFiles[] = {"/var/log/mail.log", "/var/log/maillog", "/var/log/mail"};
constexpr Seconds kStale{3600};
constexpr std::chrono::milliseconds kPatience{2000};
constexpr std::size_t kLongestAnswer = 4096;

// Returns what postconf(1) says of a parameter; empty if it says nothing, fails or takes too long.
std::string ask_postconf(const char* parameter) {
  constexpr int kNeverStopped = -1;
  std::string answer;
  const std::string complaint =
      run_command({"postconf", "-h", parameter}, {kPatience, kLongestAnswer}, kNeverStopped,
                  [&answer](std::string_view piece) { answer += piece; });
  return complaint.empty() ? std::string(trim(answer.substr(0, answer.find('\n')))) : "";
}

// Returns when the file was last written; nothing if there is no file.
std::optional<TimePoint> last_written(const char* path) {
  struct stat status {};
  if (::stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  return TimePoint(Seconds(status.st_mtim.tv_sec));
}

std::optional<std::string> account_number(const std::string& name) {
  if (parse_number<uid_t>(name)) {
    return name;
  }
  passwd account{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  if (::getpwnam_r(name.c_str(), &account, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    return std::nullopt;
  }
  return fmt::to_string(account.pw_uid);
}

bool has_entries(const LogPlace& journal) try {
  JournalReader reader(journal.scope(), journal.path);
  return reader.next();
} catch (const std::system_error&) {
  return false;
}

}  // namespace

std::string LogPlace::name() const {
  if (kind == Kind::file) {
    return "file:" + path;
  }
  return path.empty() ? std::string(kJournal) : fmt::format("{}:{}", kJournal, path);
}

JournalReader::Scope LogPlace::scope() const {
  return path.empty() ? JournalReader::Scope::system : JournalReader::Scope::directory;
}

std::optional<LogPlace> parse_log_place(std::string_view source) {
  if (source == kJournal) {
    return LogPlace{LogPlace::Kind::journal, {}};
  }
  const std::size_t colon = source.find(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view path = source.substr(colon + 1);
  if (!path.starts_with('/')) {
    return std::nullopt;
  }
  if (source.substr(0, colon) == kJournal) {
    return LogPlace{LogPlace::Kind::journal, std::string(path)};
  }
  return source.starts_with(kFile)
             ? std::optional(LogPlace{LogPlace::Kind::file, std::string(path)})
             : std::nullopt;
}

std::string log_complaint(const Config& config) {
  if (config.log.source != "auto" && !parse_log_place(config.log.source)) {
    return "log.source: auto, journal, journal:/path or file:/path is needed";
  }
  return {};
}

std::string log_warning(const Config& config) {
  if (config.log.mta == Mta::postfix && ask_postconf("info_log_address_format") == "internal") {
    return "Postfix has info_log_address_format = internal: an address may look like the rest of "
           "its "
           "line; what such lines say is told of no recipient. Use the default, external";
  }
  return {};
}

std::vector<LogPlace> locate_log(const Config& config) {
  if (const std::optional<LogPlace> place = parse_log_place(config.log.source)) {
    return {*place};
  }
  if (config.log.mta == Mta::postfix) {
    if (std::string answer = ask_postconf("maillog_file"); answer.starts_with('/')) {
      return {{LogPlace::Kind::file, std::move(answer)}};
    }
  }
  const LogPlace journal{LogPlace::Kind::journal, {}};
  std::vector<LogPlace> places;
  const std::optional<LogTime> newest = newest_in_journal(journal, config.log);
  if (newest) {
    places.push_back(journal);
  }
  for (const char* const path : kUsualFiles) {
    const std::optional<TimePoint> written = last_written(path);
    if (written && (!newest || *newest - *written < kStale)) {
      places.push_back({LogPlace::Kind::file, path});
      break;
    }
  }
  if (!newest && has_entries(journal)) {
    places.push_back(journal);
  }
  if (places.empty()) {
    places.push_back({LogPlace::Kind::file, kUsualFiles[0]});
  }
  return places;
}

JournalAccounts journal_accounts(const Config::Log& log) {
  std::vector<std::string> names = log.accounts;
  if (names.empty()) {
    names = log.mta == Mta::postfix ? std::vector<std::string>{"0", "postfix"}
                                    : std::vector<std::string>{"0", "smmta", "smmsp"};
  }
  JournalAccounts numbers;
  for (const std::string& name : names) {
    if (std::optional<std::string> number = account_number(name)) {
      numbers.insert(*std::move(number));
    }
  }
  return numbers;
}

std::optional<LogTime> newest_in_journal(const LogPlace& journal, const Config::Log& log) try {
  constexpr std::array<std::string_view, 4> kPostfix = {"qmgr", "smtpd", "cleanup", "smtp"};
  constexpr std::array<std::string_view, 3> kSendmail = {"sendmail", "sendmail-mta",
                                                         "sendmail-msp"};
  constexpr int kLooks = 100;  // the newest entries may be forged
  JournalReader reader(journal.scope(), journal.path);
  if (log.mta == Mta::postfix) {
    reader.only("_COMM", kPostfix);
  } else {
    reader.only("_COMM", kSendmail);
  }
  JournalJudge judge(log.mta, journal_accounts(log));
  reader.seek_end();
  bool there = reader.on_entry();
  for (int i = 0; i < kLooks && there; ++i) {
    JournalEntry entry;
    while (const std::optional<std::string_view> field = reader.next_field()) {
      entry.set(*field);
    }
    if (judge.judge(entry) == JournalWorth::line) {
      return reader.realtime();
    }
    there = reader.back(1) > 0;
  }
  return std::nullopt;
} catch (const std::system_error&) {
  return std::nullopt;
}

std::unique_ptr<LogSource> open_log(const LogPlace& place,
                                    const Config::Log& log,
                                    const std::optional<store::LogCursor>& resume,
                                    Counters& counters) {
  if (place.kind == LogPlace::Kind::file) {
    return std::make_unique<FileLogSource>(place.path, resume, counters);
  }
  return std::make_unique<JournalLogSource>(
      place.path, JournalJudge(log.mta, journal_accounts(log)), resume, counters);
}

}  // namespace mtrk

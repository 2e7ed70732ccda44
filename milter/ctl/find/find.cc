#include "milter/ctl/find/find.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "common/base/local_offset.h"
#include "common/base/process.h"
#include "common/base/utf8.h"
#include "milter/ctl/find/criteria.h"
#include "milter/ctl/find/finder.h"
#include "milter/ctl/find/log_set.h"
#include "milter/ctl/find/table.h"
#include "milter/ctl/json.h"
#include "milter/ctl/log_reader.h"
#include "milter/log/location.h"
#include "milter/log/siblings.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace mtrk {
namespace {

using find::Criteria;
using find::Found;
using find::LogSet;
using find::Row;

constexpr int kNothingFound = 1;

class BadCriterion : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <typename T>
T checked(std::string_view option, Expected<T> value) {
  if (!value) {
    throw BadCriterion(std::string(option) + ": " + value.error().detail);
  }
  return *std::move(value);
}

// The time is parsed again with the offsets of its own day, which may be in summer time when today
// is not.
template <typename Parse>
LogTime instant(std::string_view option, const std::string& text, TimePoint now, Parse parse) {
  const LogTime near = checked(option, parse(text, now, local_offsets(now)));
  return checked(option, parse(text, now, local_offsets(std::chrono::floor<Seconds>(near))));
}

Criteria criteria_of(const FindOptions& options, TimePoint now) {
  Criteria criteria;
  if (!options.from.empty()) {
    criteria.from = checked("--from", find::AddressPattern::parse(options.from));
  }
  if (!options.to.empty()) {
    criteria.to = checked("--to", find::AddressPattern::parse(options.to));
  }
  if (!options.message_id.empty()) {
    criteria.message_id = checked("--message-id", find::parse_message_id(options.message_id));
  }
  if (!options.client.empty()) {
    criteria.client = checked("--client", find::ClientPattern::parse(options.client));
  }
  if (!options.queue_id.empty() && !QueueId::is_queue_id(options.queue_id)) {
    throw BadCriterion("--queue-id: not a queue id: \"" + escape_for_people(options.queue_id, 64) +
                       "\"");
  }
  criteria.user = options.user;
  criteria.queue_id = options.queue_id;
  if (!options.since.empty()) {
    criteria.period.since = instant("--since", options.since, now, find::parse_since);
  }
  if (!options.until.empty()) {
    criteria.period.until = instant("--until", options.until, now, find::parse_until);
  }
  if (criteria.period.since && criteria.period.until &&
      *criteria.period.since >= *criteria.period.until) {
    throw BadCriterion("--until: the period ends before it begins");
  }
  if (!options.action.empty()) {
    criteria.actions = checked("--action", find::Actions::parse(options.action));
  }
  return criteria;
}

std::optional<TimePoint> written_at(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return TimePoint(Seconds(status.st_mtime));
}

// Returns whether a file next to a log is one that was rotated away: mail.log.1, mail.log.2.gz,
// mail.log-20261121.xz, maillog.20261121-164922, mail.log.old.
bool is_rotated(std::string_view path, std::string_view log) {
  constexpr std::string_view kSuffixes[] = {".gz", ".xz", ".zst", ".bz2"};
  std::string_view rest = path.substr(std::min(log.size() + 1, path.size()));
  for (const std::string_view suffix : kSuffixes) {
    if (rest.ends_with(suffix)) {
      rest.remove_suffix(suffix.size());
    }
  }
  return rest == "old" || (!rest.empty() && is_digit(rest[0]) &&
                           rest.find_first_not_of("0123456789-_.:T") == std::string_view::npos);
}

// Returns the logs of log.source and those that were rotated away, oldest first, without those that
// were written before the period began.
std::vector<std::string> configured_logs(const Config& config, const find::Period& period) {
  std::vector<std::string> logs;
  const std::vector<LogPlace> places = locate_log(config);
  const LogPlace& place = places.front();
  if (place.kind == LogPlace::Kind::journal) {
    return {place.name()};
  }
  const auto is_of_period = [&](TimePoint written) {
    return !period.since || written >= std::chrono::floor<Seconds>(*period.since);
  };
  for (const LogSibling& sibling : log_siblings(place.path)) {
    const TimePoint written{
        Seconds(std::chrono::floor<Seconds>(std::chrono::nanoseconds(sibling.modified_ns)))};
    if (sibling.size > 0 && is_rotated(sibling.path, place.path) && is_of_period(written)) {
      logs.push_back(sibling.path);
    }
  }
  const std::optional<TimePoint> written = written_at(place.path);
  struct stat status {};
  const bool empty = ::stat(place.path.c_str(), &status) == 0 && status.st_size == 0;
  // A log that cannot be examined is opened all the same, so that the error is reported.
  if (!written || (!empty && is_of_period(*written)) || logs.empty()) {
    logs.push_back(place.path);
  }
  return logs;
}

// A ProgressBar writes to standard error if a person watches and the search takes long.
class ProgressBar {
 public:
  void show(std::uint64_t done, std::uint64_t all) {
    constexpr std::chrono::milliseconds kPatience{500};
    const auto now = std::chrono::steady_clock::now();
    if (!watched_ || all == 0 || now - began_ < kPatience || now - shown_ < kPatience / 5) {
      return;
    }
    shown_ = now;
    std::fprintf(stderr, "\rsearching, pass %u: %3u %%\x1b[K", pass_,
                 static_cast<unsigned>(std::min<std::uint64_t>(100, done * 100 / all)));
    drawn_ = true;
    pass_ += done < before_ ? 1U : 0U;
    before_ = done;
  }
  void hide() {
    if (std::exchange(drawn_, false)) {
      std::fputs("\r\x1b[K", stderr);
    }
  }

 private:
  const bool watched_ = ::isatty(STDERR_FILENO) == 1;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_ = began_;
  bool drawn_ = false;
  unsigned pass_ = 1;
  std::uint64_t before_ = 0;
};

std::string plural(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::size_t columns_of_terminal() {
  constexpr std::size_t kLeast = 80;
  winsize size{};
  const bool known = ::isatty(STDOUT_FILENO) == 1 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  return known ? std::max<std::size_t>(kLeast, size.ws_col) : kLeast;
}

// A Summary is what people read below the rows or instead of them, on standard error.
class Summary {
 public:
  Summary(const LogSet& logs,
          const find::Answer& answer,
          const Criteria& criteria,
          const PageStyle& style)
      : logs_(logs),
        answer_(answer),
        found_(answer.found),
        criteria_(criteria),
        page_(plain(style)) {}

  void say_found(find::Format format) {
    if (format == find::Format::table) {
      say_count();
    }
    note_period();
    print();
  }
  void say_nothing_found() {
    const std::string words = criteria_.in_words();
    page_.add(0, "mtrkctl: nothing found" + (words.empty() ? "" : ": " + shown(words)) + period());
    page_.add(0, "Searched " + searched() + ".");
    note_period();
    std::string hint;
    const auto try_it = [&hint](const std::string& what) {
      hint += (hint.empty() ? "Try " : "; ") + what;
    };
    for (const auto* address :
         {criteria_.to ? &*criteria_.to : nullptr, criteria_.from ? &*criteria_.from : nullptr}) {
      if (address != nullptr && address->kind() == find::AddressPattern::Kind::address) {
        const std::string& text = address->text();
        if (const std::size_t at = text.rfind('@'); at != std::string::npos && at > 0) {
          try_it(std::string(address == (criteria_.to ? &*criteria_.to : nullptr) ? "--to "
                                                                                  : "--from ") +
                 shown(text.substr(at)) + " for its whole domain");
        }
      }
    }
    if (criteria_.period.since || criteria_.period.until) {
      try_it("a longer period");
    }
    if (!criteria_.actions.empty()) {
      try_it("without --action");
    }
    if (criteria_.to && !criteria_.from && criteria_.message_id.empty()) {
      try_it("--from, since recipients of mail that was not tried yet are in no log");
    }
    if (hint.empty() && logs_.size() == 1) {
      try_it("an older log as a further --log");
    }
    if (!hint.empty()) {
      page_.add(0, hint + ".");
    }
    print();
  }

 private:
  void say_count() {
    const std::vector<Row>& rows = answer_.rows;
    std::vector<std::string> messages;
    for (const Row& row : rows) {
      messages.push_back(row.queue_id + std::to_string(row.place));
    }
    std::sort(messages.begin(), messages.end());
    const std::size_t count =
        static_cast<std::size_t>(std::unique(messages.begin(), messages.end()) - messages.begin());
    page_.add(
        0, plural(rows.size(), "recipient") + " of " + plural(count, "message") +
               (answer_.all > rows.size() ? ", the newest of " + std::to_string(answer_.all) : "") +
               "; searched " + searched() + ".");
    if (std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.begun_before; })) {
      page_.add(0, "Times with < are of the first line in these logs; the message is older.");
    }
  }
  void note_period() {
    const std::optional<LogTime>& since = criteria_.period.since;
    if (found_.begins && since && *since < *found_.begins) {
      page_.add(0, "The logs begin " + time(*found_.begins) + ": what came before is not in them.");
    }
    if (found_.ends && criteria_.period.until && *criteria_.period.until > *found_.ends && since &&
        *since > *found_.ends) {
      page_.add(0, "The logs end " + time(*found_.ends) + ".");
    }
  }
  void print() { std::fputs(page_.text().c_str(), stderr); }

  static PageStyle plain(PageStyle style) {
    style.colours = false;
    style.symbols = false;
    return style;
  }
  static std::string shown(std::string_view text) { return escape_for_display(text, 512); }
  [[nodiscard]] std::string time(LogTime at) const {
    return format_for_people(std::chrono::floor<Seconds>(at), page_.style());
  }
  [[nodiscard]] std::string period() const {
    std::string text;
    if (criteria_.period.since) {
      text += ", since " + time(*criteria_.period.since);
    }
    if (criteria_.period.until) {
      text += ", until " + time(*criteria_.period.until);
    }
    return text;
  }
  [[nodiscard]] std::string searched() const {
    constexpr std::size_t kNamed = 3;
    std::string text = plural(logs_.size(), "log") + " (";
    for (std::size_t i = 0; i < std::min(kNamed, logs_.size()); ++i) {
      text += (i == 0 ? "" : ", ") + shown(logs_.log(logs_.size() - 1 - i).path());
    }
    text += logs_.size() > kNamed ? " and older)" : ")";
    if (found_.begins) {
      text += " from " + time(*found_.begins) + " to " + time(*found_.ends);
    }
    return text;
  }

  const LogSet& logs_;
  const find::Answer& answer_;
  const Found& found_;
  const Criteria& criteria_;
  Page page_;
};

void print(const std::vector<Row>& rows, const find::FinderOptions& finder) {
  std::string text;
  if (finder.format == find::Format::table) {
    text = format_table(rows, finder.style, columns_of_terminal());
  }
  JsonOutput out;
  out.raw(text);
  for (const Row& row : rows) {
    out.raw(row.text);
    constexpr std::size_t kFlushAt = std::size_t{128} << 10;
    if (out.size() > kFlushAt) {
      out.write_to(STDOUT_FILENO);
    }
  }
  out.write_to(STDOUT_FILENO);
}

int report_logs(const LogSet& logs, const Found& found) {
  int result = exit_code::ok;
  for (std::size_t i = 0; i < logs.size(); ++i) {
    result = std::max(result, report_format(logs.log(i).path(), found.logs[i].lines,
                                            found.logs[i].format, logs.log(i).complaint()));
  }
  return result;
}

int find_messages(const FindOptions& options) {
  const TimePoint now{Seconds(std::time(nullptr))};
  const Criteria criteria = criteria_of(options, now);
  Config::Log log_options = options.config.log;
  log_options.mta = options.mta.value_or(log_options.mta);
  LogSet logs(
      options.logs.empty() ? configured_logs(options.config, criteria.period) : options.logs,
      log_options);
  find::FinderOptions finder{options.config, options.mta, options.limit, find::Format::table,
                             style_of_standard_output()};
  finder.style.utc = options.utc;
  if (options.json || options.timeline) {
    finder.format = options.json ? find::Format::json : find::Format::timeline;
  }
  ProgressBar bar;
  const find::Answer answer =
      find_rows(logs, criteria, finder,
                [&bar](std::uint64_t done, std::uint64_t all) { bar.show(done, all); });
  bar.hide();
  const int understood = report_logs(logs, answer.found);
  print(answer.rows, finder);
  Summary summary(logs, answer, criteria, finder.style);
  if (answer.rows.empty()) {
    summary.say_nothing_found();
  } else {
    summary.say_found(finder.format);
  }
  return std::max(answer.rows.empty() ? kNothingFound : exit_code::ok, understood);
}

}  // namespace

int run_find(const FindOptions& options) {
  try {
    return find_messages(options);
  } catch (const BadCriterion& error) {
    std::fprintf(stderr, "mtrkctl: %s\n", error.what());
    return exit_code::usage;
  } catch (const CannotOpen& error) {
    std::fprintf(stderr, "mtrkctl: %s\n", error.what());
    return exit_code::no_input;
  } catch (const std::exception& error) {
    if (!is_output_error(error)) {
      std::fprintf(stderr, "mtrkctl: %s\n", error.what());
    }
    return exit_code::io_error;
  }
}

}  // namespace mtrk

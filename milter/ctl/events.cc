#include "milter/ctl/events.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "common/base/process.h"
#include "milter/ctl/json.h"
#include "milter/ctl/log_reader.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace mtrk {
namespace {

using maillog::Added;
using maillog::Attempt;
using maillog::Client;
using maillog::Cloned;
using maillog::Declined;
using maillog::DeliveryEvent;
using maillog::event_name;
using maillog::ForcedExpiry;
using maillog::GaveUp;
using maillog::Held;
using maillog::LineKind;
using maillog::LogFormatTally;
using maillog::LogLine;
using maillog::LogParser;
using maillog::MessageId;
using maillog::Notification;
using maillog::Pickup;
using maillog::Queued;
using maillog::Redirection;
using maillog::Rejected;
using maillog::Released;
using maillog::Removed;
using maillog::Requeued;
using maillog::Split;
using maillog::split_log_line;
using maillog::StampContext;
using maillog::StampMemo;

constexpr std::uint64_t kUnparsedKept = 20;
constexpr int kNotUnderstood = 1;  // the exit code

struct EventCounts {
  std::uint64_t lines = 0;
  std::uint64_t events = 0;
  std::uint64_t ignored = 0;
  std::uint64_t unparsed = 0;
  std::uint64_t unknown_format = 0;  // ignored lines that contain mail log nevertheless
};

// MemberWriter writes the members that each kind of event has besides time, queue_id and event.
struct MemberWriter {
  JsonOutput& json;
  Mta mta;

  void operator()(const Attempt& attempt) const {
    json.text_if("agent", attempt.agent);
    json.text("recipient", attempt.recipient);
    json.text_if("original", attempt.original);
    if (mta == Mta::postfix || !attempt.relay.empty()) {
      json.text("relay", attempt.relay);
    }
    if (attempt.dsn) {
      json.status("dsn", *attempt.dsn);
    }
    json.text("status", attempt.status);
    if (mta == Mta::postfix || !attempt.text.empty()) {
      json.text("text", attempt.text);
    }
    json.text_if("delay", attempt.delay);
    json.text_if("delays", attempt.delays);
    json.text_if("tls", attempt.tls);
    json.text_if("forwarded_as", attempt.forwarded_as);
  }
  void operator()(const Client& client) const {
    json.text("client", client.client);
    json.text_if("orig_queue_id", client.orig_queue_id);
  }
  void operator()(const Pickup& pickup) const { json.text_if("orig_id", pickup.orig_id); }
  void operator()(const MessageId& id) const { json.text("message_id", id.message_id); }
  void operator()(const Queued& queued) const {
    json.text("sender", queued.sender);
    json.number("recipients", queued.recipients);
    json.text_if("message_id", queued.message_id);
    json.text_if("client", queued.client);
  }
  void operator()(const GaveUp& gave_up) const {
    json.text("status", gave_up.status);
    json.text_if("child", gave_up.child);
    json.text_if("text", gave_up.text);
  }
  void operator()(const Removed& removed) const { json.text_if("by", removed.by); }
  void operator()(const Rejected& rejected) const { json.text("text", rejected.text); }
  void operator()(const Notification& notification) const {
    json.text("kind", notification.kind);
    json.text("child", notification.child);
    json.text_if("text", notification.text);
  }
  void operator()(const Redirection& redirection) const {
    json.text("from", redirection.from);
    json.text("targets", redirection.targets);
  }
  void operator()(const Cloned& cloned) const {
    json.text("child", cloned.child);
    json.text("owner", cloned.owner);
  }
  void operator()(const Split& split) const { json.text("children", split.children); }
  void operator()(const Declined& declined) const {
    json.text("recipient", declined.recipient);
    json.text("text", declined.text);
  }
  void operator()(const Added& added) const { json.text("recipient", added.recipient); }
  void operator()(const Held&) const {}
  void operator()(const Released&) const {}
  void operator()(const Requeued&) const {}
  void operator()(const ForcedExpiry&) const {}
};

void write_event(JsonOutput& json, const DeliveryEvent& event) {
  json.begin();
  json.time("time", event.at);
  json.text("queue_id", event.queue_id);
  json.text("event", event_name(event));
  std::visit(MemberWriter{json, event.mta}, event.what);
  json.end();
}

// A Part is a block of lines and its result.
struct Part {
  LogBlock block;
  JsonOutput json;
  EventCounts counts;
  LogFormatTally format;
  std::uint64_t percent = 0;  // how much of the log was read with this part
  std::string unparsed;       // for people: the first lines that were not understood
};

void read_line(std::string_view text,
               const StampContext& stamps,
               StampMemo& memo,
               LogParser& parser,
               Part& part) {
  ++part.counts.lines;
  const std::optional<LogLine> line = split_log_line(text, stamps, &memo);
  if (!line) {
    ++part.counts.ignored;
    part.format.unknown(text);
    return;
  }
  const LineKind kind = parser.parse(*line, [&part, text](const DeliveryEvent& event) {
    ++part.counts.events;
    // The line is checked once instead of field by field. Sendmail's records may have several
    // lines.
    part.json.texts_are_plain(event.mta == Mta::postfix && is_plain(text));
    write_event(part.json, event);
  });
  part.format.known(text, *line, kind);
  if (kind == LineKind::ignored) {
    ++part.counts.ignored;
  } else if (kind == LineKind::unparsed && ++part.counts.unparsed <= kUnparsedKept) {
    part.unparsed += "unparsed: " + escape_for_people(text) + "\n";
  }
}

void read_lines(LogParser& parser, Part& part) {
  std::string_view lines = part.block.lines();
  StampMemo memo;
  while (!lines.empty()) {
    read_line(take_line(lines), part.block.stamps(), memo, parser, part);
  }
}

// A Reading reads logs with two threads. Each takes the next block, formats its result, and writes
// that when all earlier results are written. The memory is that of two blocks and their results,
// whatever the size of the log.
class Reading {
 public:
  explicit Reading(const EventsOptions& options) : parser_(options.owner), log_(options.log) {}

  // Returns exit_code::data_error, and reports it, if the format of the log is unknown.
  int read_log(const std::string& path) {
    LogReader reader(path, log_);
    taken_ = written_ = 0;
    format_ = {};
    const std::uint64_t lines_before = total_.lines;
    const auto work = [&] {
      try {
        Part part;
        while (read_block(reader, part)) {
        }
      } catch (...) {
        fail(std::current_exception());
      }
    };
    {
      std::optional<std::jthread> second;
      if (std::thread::hardware_concurrency() > 1 && !reader.is_for_one()) {
        second.emplace(work);
      }
      work();
    }
    hide_progress();
    if (failure_) {
      std::rethrow_exception(std::exchange(failure_, nullptr));
    }
    total_.lines += reader.skipped();
    total_.ignored += reader.skipped();
    total_.unknown_format += format_.unknown_lines() + format_.spoilt_lines();
    return report_format(path, total_.lines - lines_before, format_, reader.complaint());
  }

  [[nodiscard]] const EventCounts& total() const { return total_; }

 private:
  // Returns false at the end, or when the other thread failed.
  bool read_block(LogReader& reader, Part& part) {
    bool done = false;
    std::exception_ptr unreadable;
    std::uint64_t place = 0;
    {
      const std::lock_guard lock(reading_);
      try {
        if (!reader.next(part.block)) {
          return false;
        }
        LogParser& parser = parser_.for_lines(part.block.lines(), part.block.stamps());
        if (parser.mta() == Mta::sendmail) {  // a record may continue in the next block
          read_lines(parser, part);
          done = true;
        }
        place = taken_++;
        part.percent = reader.size() == 0 ? 0 : reader.position() * 100 / reader.size();
      } catch (...) {
        unreadable = std::current_exception();  // what was read before is written all the same
        place = taken_;
      }
    }
    if (!done && !unreadable) {
      LogParser parser(Mta::postfix);
      read_lines(parser, part);
    }
    {
      std::unique_lock lock(mutex_);
      turn_.wait(lock, [&] { return written_ == place || failure_; });
      if (failure_) {
        return false;
      }
    }
    if (unreadable) {
      std::rethrow_exception(unreadable);
    }
    put_out(part);
    {
      const std::lock_guard lock(mutex_);
      ++written_;
    }
    turn_.notify_all();
    return true;
  }

  void fail(std::exception_ptr failure) {
    {
      const std::lock_guard lock(mutex_);
      failure_ = failure_ ? failure_ : std::move(failure);
    }
    turn_.notify_all();
  }

  void put_out(Part& part) {
    part.json.write_to(STDOUT_FILENO);
    if (!part.unparsed.empty() && total_.unparsed < kUnparsedKept) {
      hide_progress();
      std::fputs(part.unparsed.c_str(), stderr);
    }
    show_progress(part.percent);
    part.unparsed.clear();
    total_.lines += part.counts.lines;
    total_.events += part.counts.events;
    total_.ignored += part.counts.ignored;
    total_.unparsed += part.counts.unparsed;
    format_ += part.format;
    part.counts = EventCounts{};
    part.format = {};
  }

  void show_progress(std::uint64_t percent) {
    if (shows_progress_ && percent != shown_percent_) {
      shown_percent_ = percent;
      std::fprintf(stderr, "\r%llu %%", static_cast<unsigned long long>(percent));
    }
  }
  void hide_progress() {
    if (shown_percent_ != 0) {
      std::fputs("\r\x1b[K", stderr);
      shown_percent_ = 0;
    }
  }

  // Progress is shown only where it does not mix with the output.
  const bool shows_progress_ = ::isatty(STDERR_FILENO) != 0 && ::isatty(STDOUT_FILENO) == 0;
  std::uint64_t shown_percent_ = 0;

  std::mutex reading_;  // protects the log and the members below
  OwnedLogParser parser_;
  Config::Log log_;
  std::uint64_t taken_ = 0;  // how many blocks were taken

  std::mutex mutex_;  // protects the members below
  std::condition_variable turn_;
  std::uint64_t written_ = 0;
  std::exception_ptr failure_;

  EventCounts total_;      // belongs to the thread whose turn it is
  LogFormatTally format_;  // of the current log; belongs to that thread too
};

}  // namespace

int run_events(const EventsOptions& options) {
  EventCounts counts;
  int result = exit_code::ok;
  try {
    Reading reading(options);
    try {
      for (const std::string& path : options.logs) {
        result = std::max(result, reading.read_log(path));
      }
    } catch (...) {
      counts = reading.total();
      throw;
    }
    counts = reading.total();
    result = std::max(result, counts.unparsed > 0 ? kNotUnderstood : exit_code::ok);
  } catch (const CannotOpen& error) {
    std::fprintf(stderr, "mtrkctl: %s\n", error.what());
    result = exit_code::no_input;
  } catch (const NotALog& error) {
    std::fprintf(stderr, "mtrkctl: %s\n", error.what());
    result = exit_code::data_error;
  } catch (const std::exception& error) {
    if (!is_output_error(error)) {
      std::fprintf(stderr, "mtrkctl: %s\n", error.what());
    }
    result = exit_code::io_error;
  }
  std::fprintf(stderr, "lines=%llu events=%llu ignored=%llu unparsed=%llu",
               static_cast<unsigned long long>(counts.lines),
               static_cast<unsigned long long>(counts.events),
               static_cast<unsigned long long>(counts.ignored),
               static_cast<unsigned long long>(counts.unparsed));
  if (counts.unknown_format > 0) {
    std::fprintf(stderr, " unknown_format=%llu",
                 static_cast<unsigned long long>(counts.unknown_format));
  }
  std::fputc('\n', stderr);
  return result;
}

}  // namespace mtrk

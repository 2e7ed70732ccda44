#include "milter/writer/log_applier.h"

#include "common/base/local_offset.h"
#include "common/base/log.h"
#include "common/maillog/log_format_tally.h"
#include "common/maillog/log_line.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace mtrk {
namespace {

using namespace std::chrono_literals;

constexpr int kShownUnparsed = 10;
constexpr auto kShownEvery = 60s;

}  // namespace

LogApplier::Tally& LogApplier::Tally::operator+=(const Tally& other) {
  lines += other.lines;
  events += other.events;
  applied += other.applied;
  ignored += other.ignored;
  unparsed += other.unparsed;
  unknown_format += other.unknown_format;
  truncated += other.truncated;
  newest = std::max(newest, other.newest);
  return *this;
}

void LogApplier::Tally::count_in(Counters& counters) const {
  count(counters.lines, lines);
  count(counters.events, events);
  count(counters.applied, applied);
  count(counters.ignored, ignored);
  count(counters.unparsed, unparsed);
  count(counters.unknown_format, unknown_format);
  count(counters.truncated, truncated);
}

LogApplier::LogApplier(Mta mta, Counters& counters)
    : mta_(mta),
      counters_(counters),
      parser_(mta),
      shown_since_(std::chrono::steady_clock::now()) {}

LogApplier::Tally LogApplier::apply(const LogLines& lines, store::TrackingWriter& store) {
  const Tally tally = apply_each(lines, store);
  return lines.warm_up ? Tally() : tally;
}

LogApplier::Tally LogApplier::apply_each(const LogLines& lines, store::TrackingWriter& store) {
  Tally tally;
  const maillog::StampContext stamps{lines.reference, local_offsets(lines.reference)};
  maillog::StampMemo memo;
  for (std::string_view rest = lines.lines; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++tally.lines;
    if (line.size() > LogLines::kLongest) {
      ++tally.truncated;
      continue;
    }
    const std::optional<maillog::LogLine> split = maillog::split_log_line(line, stamps, &memo);
    if (!split) {
      ++tally.ignored;
      look_for_mail(line, lines, tally);
      continue;
    }
    const maillog::LineKind kind = parser_.parse(*split, [&](const maillog::DeliveryEvent& event) {
      apply_event(event, lines.warm_up, store, tally);
    });
    if (kind == maillog::LineKind::ignored) {
      ++tally.ignored;
      if (split->program.empty()) {
        look_for_mail(line, lines, tally);
      }
    } else if (kind == maillog::LineKind::unparsed) {
      ++tally.unparsed;
      if (!lines.warm_up) {
        show_unparsed(line);
      }
    }
  }
  return tally;
}

void LogApplier::apply_event(const maillog::DeliveryEvent& event,
                             bool warm_up,
                             store::TrackingWriter& store,
                             Tally& tally) {
  ++tally.events;
  tally.newest =
      std::max(tally.newest, std::optional(std::chrono::system_clock::time_point(event.at)));
  try {
    if (warm_up) {
      store.warm_up(event);
    } else if (store.apply(event)) {
      ++tally.applied;
    }
  } catch (const std::logic_error& error) {
    // If an event meets a bug of ours, it would meet that bug at every further try.
    count(counters_.exceptions);
    log::error(event.queue_id, {{"log", "event-skipped"}, {"error", error.what()}});
  }
}

void LogApplier::look_for_mail(std::string_view line, const LogLines& lines, Tally& tally) {
  if (!maillog::holds_mail_record(line)) {
    return;
  }
  ++tally.unknown_format;
  if (!lines.warm_up && unknown_sources_.insert(lines.source).second) {
    log::warning("", {{"log", "unknown-format"}, {"source", lines.source}, {"line", line}});
  }
}

void LogApplier::show_unparsed(std::string_view line) {
  const auto now = std::chrono::steady_clock::now();
  if (now - shown_since_ > kShownEvery) {
    shown_since_ = now;
    shown_ = 0;
  }
  if (shown_ < kShownUnparsed) {
    ++shown_;
    log::warning("", {{"log", "unparsed"}, {"line", line}});
  }
}

void LogApplier::remember(LogLines lines) {
  if (lines.lines.empty()) {
    return;
  }
  lines.warm_up = true;
  recent_octets_ += lines.lines.size();
  recent_.push_back(std::move(lines));
  while (recent_octets_ > LogLines::kWarmUp && recent_.size() > 1) {
    recent_octets_ -= recent_.front().lines.size();
    recent_.pop_front();
  }
}

void LogApplier::replay(store::TrackingWriter& store) {
  parser_ = maillog::LogParser(mta_);
  for (const LogLines& lines : recent_) {
    apply_each(lines, store);
  }
}

}  // namespace mtrk

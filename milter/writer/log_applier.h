#pragma once

#include "common/base/mta.h"
#include "common/maillog/delivery_event.h"
#include "common/maillog/log_parser.h"
#include "common/store/tracking_writer.h"
#include "milter/base/counters.h"
#include "milter/log/lines.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace mtrk {

// Applies log lines to the store: it parses the lines of a chunk and passes their events to
// TrackingWriter::apply(). A TrackingWriter keeps what it knows of messages under way in memory,
// and loses it when a transaction fails. So the LogApplier outlives the TrackingWriter, keeps the
// lines that were committed lately, and can replay them.
//
// It is for one thread, the writer's.
class LogApplier {
 public:
  // `counters` has to outlive it. It only counts `exceptions`; the other counters change when the
  // caller commits.
  LogApplier(Mta mta, Counters& counters);

  // A Tally is what a chunk adds to the counters of the log, once it is committed.
  struct Tally {
    std::uint64_t lines = 0, events = 0, applied = 0, ignored = 0, unparsed = 0, unknown_format = 0,
                  truncated = 0;
    std::optional<std::chrono::system_clock::time_point> newest;  // the newest stamp of any event

    Tally& operator+=(const Tally& other);
    void count_in(Counters& counters) const;
  };

  // Applies the lines within a transaction of `store`. Lines to warm up with are applied already,
  // and add nothing. A line at which our own code fails is logged and left out. Throws
  // store::StoreError.
  Tally apply(const LogLines& lines, store::TrackingWriter& store);

  // Says that these lines are committed. The newest LogLines::kWarmUp octets of all such lines are
  // kept.
  void remember(LogLines lines);
  // To be called after an abort or a reopening, when `store` has forgotten what later lines may
  // need.
  void replay(store::TrackingWriter& store);

 private:
  Tally apply_each(const LogLines& lines, store::TrackingWriter& store);
  void apply_event(const maillog::DeliveryEvent& event,
                   bool warm_up,
                   store::TrackingWriter& store,
                   Tally& tally);
  void show_unparsed(std::string_view line);
  // Handles a line without a known header or without a tag; it warns loudly, once for each source.
  void look_for_mail(std::string_view line, const LogLines& lines, Tally& tally);

  Mta mta_;
  Counters& counters_;
  maillog::LogParser parser_;
  std::deque<LogLines> recent_;
  std::size_t recent_octets_ = 0;
  std::set<std::string, std::less<>> unknown_sources_;  // those for which the warning was given
  int shown_ = 0;  // unparsed lines in the minute that began at shown_since_
  std::chrono::steady_clock::time_point shown_since_;
};

}  // namespace mtrk

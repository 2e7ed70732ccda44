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

// What log lines say, brought into the store: the way from the octets of a chunk to
// TrackingWriter::apply(). It outlives the store that it writes to, whose memory of messages under
// way goes when a transaction fails: the lines committed lately are kept to teach it again.
//
// For one thread, the writer's.
class LogApplier {
 public:
  // `counters` has to outlive it; only `exceptions` is written, the rest belongs to the commit.
  LogApplier(Mta mta, Counters& counters);

  // What a chunk adds to the counters of the log, once it is committed.
  struct Tally {
    std::uint64_t lines = 0, events = 0, applied = 0, ignored = 0, unparsed = 0, unknown_format = 0,
                  truncated = 0;
    std::optional<std::chrono::system_clock::time_point> newest;  // stamp of any event

    Tally& operator+=(const Tally& other);
    void count_in(Counters& counters) const;
  };

  // Within a transaction of `store`. Lines to warm up with are applied already: they add nothing.
  // Throws store::StoreError; a line of which our own code makes nothing is logged and left out.
  Tally apply(const LogLines& lines, store::TrackingWriter& store);

  // These are committed. The newest LogLines::kWarmUp octets of all are kept.
  void remember(LogLines lines);
  // After an abort or a reopening, when `store` has forgotten what later lines may need.
  void replay(store::TrackingWriter& store);

 private:
  Tally apply_each(const LogLines& lines, store::TrackingWriter& store);
  void apply_event(const maillog::DeliveryEvent& event,
                   bool warm_up,
                   store::TrackingWriter& store,
                   Tally& tally);
  void show_unparsed(std::string_view line);
  // A line without a known header, or without a tag: once a source that is said loudly.
  void look_for_mail(std::string_view line, const LogLines& lines, Tally& tally);

  Mta mta_;
  Counters& counters_;
  maillog::LogParser parser_;
  std::deque<LogLines> recent_;
  std::size_t recent_octets_ = 0;
  std::set<std::string, std::less<>> unknown_sources_;  // of which that was said
  int shown_ = 0;                                       // unparsed lines, in the minute that began
  std::chrono::steady_clock::time_point shown_since_;
};

}  // namespace mtrk

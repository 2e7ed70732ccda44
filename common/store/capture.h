#pragma once

#include "common/base/time.h"
#include "common/track/address.h"
#include "common/track/certifier.h"
#include "common/track/envelope_id.h"
#include "common/track/mta_name.h"
#include "common/track/queue_id.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mtrk::store {

// A Stage says how certain it is that the MTA accepted the message.
enum class Stage : std::uint8_t {
  provisional,  // seen at DATA: not shown to TRACK unless the log confirms it
  // Seen at end of message: it is shown. It is still dropped if the log refuses the message, or if
  // the queue id has not appeared in the log an hour later.
  final,
};

// A Capture is what the milter saw of one message: all that the store needs to know.
struct Capture {
  QueueId queue_id;
  EnvelopeId envelope_id;
  TrackingCertifier certifier;
  std::optional<Seconds> timeout;  // as requested; the store applies its default and maximum
  MtaName reporting_mta;
  TimePoint arrival;
  Minutes utc_offset{0};
  std::uint64_t ticket = 0;  // the same for the provisional and the final capture of one message
  Stage stage = Stage::provisional;
  struct Recipient {
    TypedAddress original;
    TypedAddress final;
  };
  std::vector<Recipient> recipients;  // at least one
};

}  // namespace mtrk::store

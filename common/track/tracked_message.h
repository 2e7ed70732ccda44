#pragma once

#include "common/base/time.h"
#include "common/track/address.h"
#include "common/track/mta_name.h"
#include "common/track/outcome.h"

#include <string>
#include <vector>

// A TrackedMessage is what the store knows of one SMTP transaction of a tracked message; reports
// are made from it. It does not include the envelope id: a report repeats the id of the query that
// found the message.
namespace mtrk {

struct Recipient {
  TypedAddress original;  // ORCPT if given, else the RCPT address
  TypedAddress final;     // the RCPT address as accepted (DSNF-2.3.2-01)
  Outcome outcome;
  // An alias or forward sends it to exactly one other address (RFC 3886 §4.2).
  bool redirected = false;

  bool operator==(const Recipient&) const = default;
};

struct TrackedMessage {
  // This is the MTA that accepted the message, not the host of mtqpd (DSNF-2.2.2-01).
  MtaName reporting_mta;
  TimePoint arrival;
  Minutes utc_offset{0};  // of the clock that gave `arrival`; all dates are written with it
  TimePoint expires_at;   // end of the retention, unless the message is still queued
  // Still in the queue here: such a message neither expires nor is its existence denied.
  bool queued = false;
  std::string queue_id;               // may be empty (imported)
  std::vector<Recipient> recipients;  // at least one (MTSN-3.1-04)

  bool operator==(const TrackedMessage&) const = default;
};

}  // namespace mtrk

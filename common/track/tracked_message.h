#pragma once

#include "common/base/time.h"
#include "common/track/address.h"
#include "common/track/mta_name.h"
#include "common/track/outcome.h"

#include <string>
#include <vector>

// What the store knows of one SMTP transaction of a tracked message, and what a report is made of.
// The envelope id is not part of it: a report echoes the id of the query that hit.
namespace mtrk {

struct Recipient {
  TypedAddress original;  // ORCPT if given, else the RCPT address
  TypedAddress final;     // the RCPT address as accepted (DSNF-2.3.2-01)
  Outcome outcome;
  bool redirected =
      false;  // an alias or forward to exactly one address lies between (RFC 3886 §4.2)

  bool operator==(const Recipient&) const = default;
};

struct TrackedMessage {
  MtaName reporting_mta;  // the MTA that took it in, not the host of mtqpd (DSNF-2.2.2-01)
  TimePoint arrival;
  Minutes utc_offset{0};  // of the clock that took `arrival`; all dates are written with it
  TimePoint expires_at;   // retention is over then, unless the message is still queued
  bool queued = false;    // still in the queue here: neither expired nor denied
  std::string queue_id;   // may be empty (imported)
  std::vector<Recipient> recipients;  // at least one (MTSN-3.1-04)

  bool operator==(const TrackedMessage&) const = default;
};

}  // namespace mtrk

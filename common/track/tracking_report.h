#pragma once

#include "common/base/expected.h"
#include "common/track/tracking_status.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

// The body of a TRACK answer: multipart/related of message/tracking-status parts (RFC 3886 §3).
// Line ends are CRLF; no dot-stuffing here (that is MTQP's: reply.h).
namespace mtrk {

// Transactions with the same Reporting-MTA and Arrival-Date share one part, others get one each
// . `boundary` must be 1..70 characters of the RFC 2046 alphabet; make_boundary() gives one
// of 128 random bits, and append_report falls back to a longer one should it occur in the content.
void append_report(std::string& out,
                   std::string_view envelope_id,
                   std::span<const MessageView> messages,
                   std::string_view boundary);
[[nodiscard]] std::string make_boundary();

struct ReportLimits {
  std::size_t octets = 256 * 1024;
  std::size_t parts = 32;
};
// Parses a whole entity, header first. Nested multiparts are not followed (depth 2 at most).
[[nodiscard]] Expected<std::vector<TrackingStatus>> parse_report(std::string_view entity,
                                                                 const ReportLimits& limits = {});

}  // namespace mtrk

#pragma once

#include "common/base/expected.h"
#include "common/track/tracking_status.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

// A tracking report is the body of the answer to TRACK: a multipart/related of
// message/tracking-status parts (RFC 3886 §3). Line ends are CRLF. Dots are not stuffed here; that
// is part of MTQP (reply.h).
namespace mtrk {

// Appends the report. Transactions with the same Reporting-MTA and Arrival-Date share one part;
// each of the others has its own. `boundary` must be 1..70 characters of the alphabet of RFC
// 2046. make_boundary() returns one of 128 random bits. If the content happens to contain
// `boundary`, append_report() uses a longer one.
void append_report(std::string& out,
                   std::string_view envelope_id,
                   std::span<const MessageView> messages,
                   std::string_view boundary);
[[nodiscard]] std::string make_boundary();

struct ReportLimits {
  std::size_t octets = 256 * 1024;
  std::size_t parts = 32;
};
// Parses a whole entity, beginning with its header. Nested multiparts are not followed (the depth
// is at most 2).
[[nodiscard]] Expected<std::vector<TrackingStatus>> parse_report(std::string_view entity,
                                                                 const ReportLimits& limits = {});

}  // namespace mtrk

// A stranger's tracking report, and its content without the MIME around it.
#include "common/track/tracking_report.h"

#include <cstdint>
#include <cstdlib>

namespace {

void check(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check_status(const mtrk::TrackingStatus& status, std::size_t octets) {
  check(status.recipients.size() <= octets / 8);  // "Status:" and a line end at least
  for (const mtrk::ReportedRecipient& recipient : status.recipients) {
    check(!recipient.complete || recipient.status);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const mtrk::ReportLimits limits{.octets = 4096, .parts = 4};
  if (const auto statuses = mtrk::parse_report(text, limits)) {
    check(text.size() <= limits.octets);
    check(!statuses->empty() && statuses->size() <= limits.parts);
    for (const mtrk::TrackingStatus& status : *statuses) {
      check_status(status, text.size());
    }
  }
  if (const auto status = mtrk::parse_tracking_status(text)) {
    check_status(*status, text.size());
  }
  return 0;
}

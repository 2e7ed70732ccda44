#include "common/track/mime.h"
#include "common/track/tracking_report.h"

// This file holds the parser of tracking_report.h.
namespace mtrk {
namespace {

// The examples of RFC 3887 omit "message/" in `type`, so a part may do so as well. A part
// without a type is tried, because this answer should contain nothing else.
bool may_be_tracking_status(const ContentType& type) {
  return type.media_type.empty() || type.media_type == "message/tracking-status" ||
         type.media_type == "tracking-status";
}

void append_status(std::vector<TrackingStatus>& statuses, std::string_view part) {
  const Entity entity = split_entity(part);
  if (!may_be_tracking_status(entity.type)) {
    return;  // this includes a nested multipart
  }
  if (Expected<TrackingStatus> status = parse_tracking_status(entity.body)) {
    statuses.push_back(*std::move(status));
  }
}

}  // namespace

Expected<std::vector<TrackingStatus>> parse_report(std::string_view entity,
                                                   const ReportLimits& limits) {
  if (entity.size() > limits.octets) {
    return fail(ErrorCode::too_long, "tracking report over the limit");
  }
  const Entity report = split_entity(entity);
  std::vector<TrackingStatus> statuses;
  if (report.type.media_type == "message/tracking-status") {
    append_status(statuses, entity);
  } else if (report.type.media_type.starts_with("multipart/") && !report.type.boundary.empty()) {
    const Expected<std::vector<std::string_view>> parts =
        split_multipart(report.body, report.type.boundary, limits.parts);
    if (!parts) {
      return Unexpected(parts.error());
    }
    for (const std::string_view part : *parts) {
      append_status(statuses, part);
    }
  } else {
    return fail(ErrorCode::syntax, "tracking report is no multipart/related");
  }
  if (statuses.empty()) {
    return fail(ErrorCode::syntax, "tracking report without a tracking status");
  }
  return statuses;
}

}  // namespace mtrk

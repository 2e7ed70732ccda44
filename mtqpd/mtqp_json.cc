#include "mtqpd/mtqp_json.h"

#include "common/base/ascii.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string_view>

namespace mtrk::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxText = 4096;

std::string safe(std::string_view text) {
  return escape_for_people(text, kMaxText);
}

std::string typed(const std::string& type, const std::string& value) {
  return safe(type) + ";" + safe(value);
}

void put_time(json::object& object, std::string_view key, const std::optional<ZonedTime>& time) {
  if (time) {
    object[json::string_view(key.data(), key.size())] = format_rfc3339(time->at);
  }
}

json::object to_json(const ReportedRecipient& recipient) {
  json::object object;
  if (!recipient.original.type.empty()) {
    object["original"] = typed(recipient.original.type, recipient.original.value);
  }
  if (!recipient.final.type.empty()) {
    object["final"] = typed(recipient.final.type, recipient.final.value);
  }
  object["action"] = std::string(mtrk::to_string(recipient.action));
  if (recipient.status) {
    object["status"] = format_enhanced_status(*recipient.status);
  }
  if (recipient.remote_mta) {
    object["remote_mta"] = typed(recipient.remote_mta->type, recipient.remote_mta->name);
  }
  put_time(object, "last_attempt", recipient.last_attempt);
  put_time(object, "will_retry_until", recipient.will_retry_until);
  return object;
}

json::object to_json(const TrackingStatus& part) {
  json::object object;
  object["envelope_id"] = safe(part.original_envelope_id);
  object["reporting_mta"] = typed(part.reporting_mta.type, part.reporting_mta.name);
  put_time(object, "arrival", part.arrival);
  json::array recipients;
  for (const ReportedRecipient& recipient : part.recipients) {
    recipients.push_back(to_json(recipient));
  }
  object["recipients"] = std::move(recipients);
  return object;
}

std::string_view to_string(Trouble trouble) {
  switch (trouble) {
    case Trouble::no_information:
      return "no information";
    case Trouble::network:
      return "network";
    case Trouble::tls:
      return "tls";
    case Trouble::protocol:
      break;
  }
  return "protocol";
}

}  // namespace

std::string format_hop(std::size_t number, const Hop& hop) {
  json::object object;
  object["v"] = 1;
  object["hop"] = number;
  object["server"] = cli::to_string(hop.server);
  if (const HopAnswer* answer = hop.answer()) {
    object["tls"] = answer->tls;
    json::array parts;
    for (const TrackingStatus& part : answer->parts) {
      parts.push_back(to_json(part));
    }
    object["parts"] = std::move(parts);
  } else {
    const HopFailure& failure = *hop.failure();
    object["error"] = std::string(to_string(failure.trouble));
    object["detail"] = safe(failure.detail);
  }
  return json::serialize(object) + "\n";
}

}  // namespace mtrk::cli

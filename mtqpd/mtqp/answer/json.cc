#include "mtqpd/mtqp/answer/json.h"

#include "common/base/ascii.h"
#include "common/base/utf8.h"
#include "mtqpd/mtqp/answer/status_words.h"
#include "mtqpd/mtqp/answer/summary.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <string_view>

namespace mtrk::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxText = 4096;

std::string escaped(std::string_view text) {
  return escape_for_people(text, kMaxText);
}

std::string typed(const std::string& type, const std::string& value) {
  return escaped(type) + ";" + escaped(value);
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
  object["envelope_id"] = escaped(part.original_envelope_id);
  object["reporting_mta"] = typed(part.reporting_mta.type, part.reporting_mta.name);
  put_time(object, "arrival", part.arrival);
  json::array recipients;
  for (const ReportedRecipient& recipient : part.recipients) {
    recipients.push_back(to_json(recipient));
  }
  object["recipients"] = std::move(recipients);
  return object;
}

json::object to_json(const Travel& travel, const Journey& journey) {
  const ReportedRecipient& first = *journey.front().recipient;
  const ReportedRecipient& last = *journey.back().recipient;
  json::object object;
  object["recipient"] = escaped(address_of(first).value);
  object["action"] = std::string(mtrk::to_string(last.action));
  if (last.status) {
    object["status"] = format_enhanced_status(*last.status);
    object["words"] = std::string(words_for(*last.status));
  }
  if (last.remote_mta) {
    object["next_hop"] = escaped(last.remote_mta->name);
  }
  object["beyond"] = std::string(to_string(beyond(journey)));
  put_time(object, "will_retry_until", last.will_retry_until);
  json::array path;
  for (const Stage& stage : journey) {
    json::object step;
    step["server"] = cli::to_string(travel.hops[stage.hop].server);
    step["reporting_mta"] = escaped(stage.part->reporting_mta.name);
    put_time(step, "arrival", stage.part->arrival);
    step["action"] = std::string(mtrk::to_string(stage.recipient->action));
    put_time(step, "last_attempt", stage.recipient->last_attempt);
    path.push_back(std::move(step));
  }
  object["path"] = std::move(path);
  return object;
}

void put_source(json::object& object, const HopAnswer& answer) {
  object["tls"] = answer.tls;
  if (!answer.address.empty()) {
    object["address"] = answer.address;
  }
}

json::object to_json(const Hop& hop) {
  json::object object;
  object["server"] = cli::to_string(hop.server);
  if (const HopAnswer* answer = hop.answer()) {
    put_source(object, *answer);
  } else {
    object["error"] = std::string(cli::to_string(hop.failure()->trouble));
    object["detail"] = escaped(hop.failure()->detail);
  }
  return object;
}

}  // namespace

std::string format_hop(std::size_t number, const Hop& hop) {
  json::object object;
  object["v"] = 1;
  object["hop"] = number;
  object["server"] = cli::to_string(hop.server);
  if (const HopAnswer* answer = hop.answer()) {
    put_source(object, *answer);
    json::array parts;
    for (const TrackingStatus& part : answer->parts) {
      parts.push_back(to_json(part));
    }
    object["parts"] = std::move(parts);
  } else {
    const HopFailure& failure = *hop.failure();
    object["error"] = std::string(cli::to_string(failure.trouble));
    object["detail"] = escaped(failure.detail);
  }
  return escape_json(json::serialize(object)) + "\n";
}

std::string format_merged(const Travel& travel) {
  json::object object;
  object["v"] = 1;
  object["state"] = std::string(state_of(travel));
  object["exit"] = exit_code_of(travel);
  json::array recipients;
  for (const Journey& journey : journeys_of(travel)) {
    recipients.push_back(to_json(travel, journey));
  }
  object["recipients"] = std::move(recipients);
  json::array asked;
  for (const Hop& hop : travel.hops) {
    asked.push_back(to_json(hop));
  }
  object["asked"] = std::move(asked);
  object["loop"] = travel.loop;
  object["hop_limit"] = travel.hop_limit;
  return escape_json(json::serialize(object)) + "\n";
}

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

}  // namespace mtrk::cli

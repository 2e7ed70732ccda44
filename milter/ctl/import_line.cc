#include "milter/ctl/import_line.h"

#include "common/base/ascii.h"
#include "common/config/host_port.h"
#include "common/track/queue_id.h"

#include <boost/json.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <utility>

namespace mtrk {
namespace {

namespace json = boost::json;

Unexpected bad(std::string_view where, std::string_view reason) {
  return fail(ErrorCode::syntax, std::string(where) + ": " + std::string(reason));
}

std::optional<Error> unknown_key(const json::object& object,
                                 std::initializer_list<std::string_view> known) {
  for (const auto& member : object) {
    const std::string_view key(member.key().data(), member.key().size());
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return Error{ErrorCode::syntax, "unknown key \"" + escape_for_people(key, 64) + "\""};
    }
  }
  return std::nullopt;
}

// Members are the members of one object, with its path for error messages ("recipients[2].status").
class Members {
 public:
  Members(const json::object& object, std::string path) : object_(object), path_(std::move(path)) {}

  [[nodiscard]] std::string where(std::string_view key) const { return path_ + std::string(key); }

  // Treats null as absent.
  [[nodiscard]] const json::value* find(std::string_view key) const {
    const json::value* value = object_.if_contains({key.data(), key.size()});
    return value != nullptr && !value->is_null() ? value : nullptr;
  }
  [[nodiscard]] Expected<std::optional<std::string_view>> optional_text(
      std::string_view key) const {
    const json::value* value = find(key);
    if (value == nullptr) {
      return std::optional<std::string_view>();
    }
    const json::string* text = value->if_string();
    if (text == nullptr) {
      return bad(where(key), "must be a string");
    }
    return std::optional(std::string_view(text->data(), text->size()));
  }
  [[nodiscard]] Expected<std::string_view> text(std::string_view key) const {
    const Expected<std::optional<std::string_view>> value = optional_text(key);
    if (!value) {
      return Unexpected(value.error());
    }
    if (!*value) {
      return bad(where(key), "is missing");
    }
    return **value;
  }
  // Passes the result of text() to a parser and puts the name of the key before the parser's error.
  template <typename T, typename Parse>
  [[nodiscard]] Expected<T> parsed(std::string_view key, Parse parse) const {
    const Expected<std::string_view> value = text(key);
    if (!value) {
      return Unexpected(value.error());
    }
    Expected<T> result = parse(*value);
    return result ? std::move(result) : Expected<T>(bad(where(key), result.error().detail));
  }
  template <typename T, typename Parse>
  [[nodiscard]] Expected<std::optional<T>> optional_parsed(std::string_view key,
                                                           Parse parse) const {
    if (find(key) == nullptr) {
      return std::optional<T>();
    }
    Expected<T> result = parsed<T>(key, parse);
    if (!result) {
      return Unexpected(result.error());
    }
    return std::optional<T>(*std::move(result));
  }

 private:
  const json::object& object_;
  std::string path_;
};

Expected<TimePoint> parse_time(std::string_view text) {
  const Expected<ZonedLogTime> time = parse_rfc3339(text);
  if (!time) {
    return Unexpected(time.error());
  }
  return std::chrono::floor<Seconds>(time->at);
}

Expected<Action> parse_import_action(std::string_view text) {
  const std::optional<Action> action = parse_action(text);
  return action ? Expected<Action>(*action)
                : fail(ErrorCode::syntax, "no action of RFC 3886: " + escape_for_people(text, 64));
}

Expected<EnhancedStatus> parse_import_status(std::string_view text) {
  const std::optional<EnhancedStatus> status = parse_enhanced_status(text);
  return status ? Expected<EnhancedStatus>(*status)
                : fail(ErrorCode::syntax, "no enhanced status: " + escape_for_people(text, 64));
}

// Accepts "[192.0.2.1]", "[IPv6:2001:db8::1]", and also "[2001:db8::1]", the form in log files.
bool is_address_literal(std::string_view text) {
  constexpr std::string_view kTag = "IPv6:";
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') {
    return false;
  }
  text = text.substr(1, text.size() - 2);
  const bool tagged = istarts_with(text, kTag);
  const std::string address(text.substr(tagged ? kTag.size() : 0));
  std::array<unsigned char, sizeof(in6_addr)> octets{};
  return address.find('\0') == std::string::npos &&
         (::inet_pton(AF_INET6, address.c_str(), octets.data()) == 1 ||
          (!tagged && ::inet_pton(AF_INET, address.c_str(), octets.data()) == 1));
}

// Checks the host for those types that name one. For other types it is unknown what a name is.
bool is_name(const MtaName& mta) {
  if (!iequals(mta.type, "dns") && !iequals(mta.type, "x-local-hostname")) {
    return all_printable(mta.name);
  }
  std::string_view host = mta.name;
  if (host.size() > 1 && host.back() == '.') {  // an absolute name
    host.remove_suffix(1);
  }
  return is_host_name(host) || is_address_literal(host);
}

// Parses a name like "dns;mx.example.org". A name without a type gets the type dns.
Expected<MtaName> parse_import_mta(std::string_view text) {
  Expected<MtaName> mta = text.find(';') == std::string_view::npos
                              ? MtaName{"dns", std::string(text)}
                              : parse_mta_name(text);
  if (mta && !is_name(*mta)) {
    return fail(ErrorCode::syntax,
                "no host name or address literal: " + escape_for_people(text, 64));
  }
  return mta;
}

Expected<Outcome> parse_outcome(const Members& members) {
  const Expected<Action> action = members.parsed<Action>("action", parse_import_action);
  const auto status = members.optional_parsed<EnhancedStatus>("status", parse_import_status);
  const auto remote_mta = members.optional_parsed<MtaName>("remote_mta", parse_import_mta);
  const auto last_attempt = members.optional_parsed<TimePoint>("last_attempt", parse_time);
  const auto will_retry_until = members.optional_parsed<TimePoint>("will_retry_until", parse_time);
  if (!action) {
    return Unexpected(action.error());
  }
  if (!status) {
    return Unexpected(status.error());
  }
  if (!remote_mta) {
    return Unexpected(remote_mta.error());
  }
  if (!last_attempt) {
    return Unexpected(last_attempt.error());
  }
  if (!will_retry_until) {
    return Unexpected(will_retry_until.error());
  }
  if (!*status && *action != Action::opaque) {
    return bad(members.where("status"), "is missing");
  }
  OutcomeFields fields;
  fields.action = *action;
  fields.status = status->value_or(EnhancedStatus{2, 0, 0});
  fields.remote_mta = *remote_mta;
  fields.last_attempt = *last_attempt;
  fields.will_retry_until = *will_retry_until;
  Expected<Outcome> outcome = make_outcome(fields);
  return outcome ? std::move(outcome)
                 : Expected<Outcome>(fail(ErrorCode::not_allowed,
                                          members.where("") + " " + outcome.error().detail));
}

Expected<Recipient> parse_recipient(const json::value& value, std::size_t index) {
  const std::string path = "recipients[" + std::to_string(index) + "]";
  const json::object* object = value.if_object();
  if (object == nullptr) {
    return bad(path, "must be an object");
  }
  if (auto unknown = unknown_key(*object, {"original", "final", "action", "status", "remote_mta",
                                           "last_attempt", "will_retry_until"})) {
    return bad(path, unknown->detail);
  }
  const Members members(*object, path + ".");
  Expected<TypedAddress> original = members.parsed<TypedAddress>("original", parse_typed_address);
  if (!original) {
    return Unexpected(original.error());
  }
  Expected<TypedAddress> final = members.parsed<TypedAddress>("final", parse_typed_address);
  if (!final) {
    return Unexpected(final.error());
  }
  Expected<Outcome> outcome = parse_outcome(members);
  if (!outcome) {
    return Unexpected(outcome.error());
  }
  return Recipient{*std::move(original), *std::move(final), *std::move(outcome), false};
}

Expected<std::vector<Recipient>> parse_recipients(const json::value* value) {
  const json::array* array = value != nullptr ? value->if_array() : nullptr;
  if (array == nullptr || array->empty()) {
    return bad("recipients", "must be an array of at least one object");
  }
  std::vector<Recipient> recipients;
  recipients.reserve(array->size());
  for (std::size_t i = 0; i < array->size(); ++i) {
    Expected<Recipient> recipient = parse_recipient((*array)[i], i);
    if (!recipient) {
      return Unexpected(recipient.error());
    }
    recipients.push_back(*std::move(recipient));
  }
  return recipients;
}

Expected<std::optional<Seconds>> parse_timeout(const json::value* value) {
  constexpr std::int64_t kMaxTimeout = 999'999'999;  // 1*9DIGIT, RFC 3885 §3.1
  if (value == nullptr) {
    return std::optional<Seconds>();
  }
  const std::int64_t* seconds = value->if_int64();
  if (seconds == nullptr || *seconds < 0 || *seconds > kMaxTimeout) {
    return bad("timeout", "must be a whole number of seconds, 0 to 999999999");
  }
  return std::optional(Seconds(*seconds));
}

Expected<ImportLine> parse_object(const json::object& object) {
  if (auto unknown = unknown_key(
          object, {"envelope_id", "certifier", "arrival", "timeout", "queue_id", "recipients"})) {
    return Unexpected(*std::move(unknown));
  }
  const Members members(object, "");
  Expected<EnvelopeId> envelope_id =
      members.parsed<EnvelopeId>("envelope_id", EnvelopeId::from_decoded);
  if (!envelope_id) {
    return Unexpected(envelope_id.error());
  }
  Expected<TrackingCertifier> certifier =
      members.parsed<TrackingCertifier>("certifier", TrackingCertifier::parse_base64);
  if (!certifier) {
    return Unexpected(certifier.error());
  }
  const Expected<ZonedLogTime> arrival = members.parsed<ZonedLogTime>("arrival", parse_rfc3339);
  if (!arrival) {
    return Unexpected(arrival.error());
  }
  const Expected<std::optional<Seconds>> timeout = parse_timeout(members.find("timeout"));
  if (!timeout) {
    return Unexpected(timeout.error());
  }
  const Expected<std::optional<std::string_view>> queue_id = members.optional_text("queue_id");
  if (!queue_id) {
    return Unexpected(queue_id.error());
  }
  if (*queue_id && !QueueId::is_queue_id(**queue_id)) {
    return bad("queue_id", "is no queue id");
  }
  Expected<std::vector<Recipient>> recipients = parse_recipients(members.find("recipients"));
  if (!recipients) {
    return Unexpected(recipients.error());
  }
  ImportLine line{*std::move(envelope_id), *certifier, *timeout, {}};
  line.message.arrival = std::chrono::floor<Seconds>(arrival->at);
  line.message.utc_offset = arrival->utc_offset;
  line.message.queue_id = queue_id->value_or("");
  line.message.recipients = *std::move(recipients);
  return line;
}

}  // namespace

Expected<ImportLine> parse_import_line(std::string_view line) {
  json::error_code error;
  json::monotonic_resource memory;  // all values of a line are freed together
  const json::value value = json::parse({line.data(), line.size()}, error, &memory);
  if (error) {
    return fail(ErrorCode::syntax, "not JSON: " + error.message());
  }
  const json::object* object = value.if_object();
  return object != nullptr ? parse_object(*object)
                           : Expected<ImportLine>(fail(ErrorCode::syntax, "not a JSON object"));
}

}  // namespace mtrk

#include "mtqpd/chain/merge.h"

#include "common/base/ascii.h"
#include "common/mtqp/referral.h"
#include "common/track/confidentiality.h"
#include "common/track/mime.h"
#include "common/track/report_field.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace mtrk::mtqpd {
namespace {

// Returns the text by which addresses are compared. It is spelt as our own reports show it, because
// the other server knows the address from a report or from MAIL. The type is left out, because
// servers do not agree on rfc822 and utf-8.
std::string key_of(const TypedAddress& address) {
  std::string field;
  put_address(field, FieldName::final_recipient, {address.type, address.value});
  return to_lower(std::string_view(field).substr(field.find(';') + 1));
}

// Treats "<id>" and "id" as one id.
std::string_view without_brackets(std::string_view id) {
  const bool brackets = id.size() > 2 && id.front() == '<' && id.back() == '>';
  return brackets ? id.substr(1, id.size() - 2) : id;
}

// Returns the id as a report shows it.
std::string shown_id(std::string_view id) {
  std::string field;
  put_field(field, FieldName::original_envelope_id, without_brackets(id));
  return field;
}

bool is_ours(const MtaName& mta, std::span<const TrackedMessage> own) {
  return std::any_of(own.begin(), own.end(), [&](const TrackedMessage& message) {
    return iequals(message.reporting_mta.name, mta.name);
  });
}

bool may_report(const MtaName& mta, std::string_view server, const ChainQuestion& question) {
  if (is_ours(mta, question.own)) {
    return false;
  }
  const std::optional<std::string> host = mtqp::host_of_mta(mta);
  return iequals(mta.name, server) || (host && is_listed(*host, question.rules.domains));
}

std::optional<Recipient> to_recipient(const ReportedRecipient& reported) {
  if (!reported.complete) {
    return std::nullopt;
  }
  OutcomeFields fields{reported.action, *reported.status, reported.remote_mta, {}, {}};
  if (reported.last_attempt) {
    fields.last_attempt = reported.last_attempt->at;
  }
  if (reported.will_retry_until) {
    fields.will_retry_until = reported.will_retry_until->at;
  }
  Expected<Outcome> outcome = make_outcome(fields);
  if (!outcome) {
    return std::nullopt;
  }
  return Recipient{reported.original, reported.final, std::move(*outcome), false};
}

// Wanted is the set of recipients that the answer may be about. It grows: a server that redirected
// one names its new address, by which the next server may know it.
class Wanted {
 public:
  Wanted(std::string_view server, const ChainQuestion& question) {
    for (const TrackedMessage& message : question.own) {
      for (const Recipient& recipient : message.recipients) {
        if (server_to_ask(recipient, question.rules) == server) {
          add(recipient);
        }
      }
    }
  }
  void add(const Recipient& recipient) {
    keys_.insert(key_of(recipient.original));
    keys_.insert(key_of(recipient.final));
  }
  [[nodiscard]] bool has(const Recipient& recipient) const {
    return keys_.contains(key_of(recipient.original)) || keys_.contains(key_of(recipient.final));
  }

 private:
  std::unordered_set<std::string> keys_;
};

std::string_view domain_of(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

}  // namespace

std::vector<TrackedMessage> accept_parts(std::span<const TrackingStatus> parts,
                                         std::string_view server,
                                         const ChainQuestion& question) {
  Wanted wanted(server, question);
  const std::string id = shown_id(question.envelope_id);
  std::vector<TrackedMessage> accepted;
  for (const TrackingStatus& part : parts) {
    if (!part.arrival || shown_id(part.original_envelope_id) != id ||
        !may_report(part.reporting_mta, server, question)) {
      continue;
    }
    TrackedMessage message;
    message.reporting_mta = part.reporting_mta;
    message.arrival = part.arrival->at;
    message.utc_offset = part.arrival->utc_offset;
    for (const ReportedRecipient& reported : part.recipients) {
      std::optional<Recipient> recipient = to_recipient(reported);
      if (recipient && wanted.has(*recipient)) {
        wanted.add(*recipient);
        message.recipients.push_back(std::move(*recipient));
      }
    }
    if (!message.recipients.empty()) {
      accepted.push_back(std::move(message));
    }
  }
  return accepted;
}

void disguise_hosts(std::span<MessageView> onward, const TypedView& own) {
  Confidentiality policy;
  policy.forwarding = Confidentiality::Forwarding::reveal;
  policy.hide_hosts = true;
  for (MessageView& message : onward) {
    const bool internal = is_internal_host(message.reporting_mta.value, own.value);
    // Which hosts are ours depends on our own name, whoever reports.
    const TypedView reporting_mta = std::exchange(message.reporting_mta, own);
    apply_confidentiality(message, policy);
    if (!internal) {
      message.reporting_mta = reporting_mta;
    }
    for (RecipientView& recipient : message.recipients) {
      const std::string_view domain = domain_of(recipient.final.value);
      if (!domain.empty() && domain != domain_of(recipient.original.value) &&
          is_internal_host(domain, own.value)) {
        recipient.final = recipient.original;
      }
    }
  }
}

std::size_t append_parts(std::string& report,
                         std::string_view envelope_id,
                         std::span<const MessageView> onward,
                         std::size_t limit) {
  const std::string delimiter = "--" + split_entity(report).type.boundary;
  const std::string end = "\r\n" + delimiter + "--\r\n";
  if (delimiter.size() == 2 || !report.ends_with(end)) {
    return 0;
  }
  report.resize(report.size() - end.size());
  std::size_t added = 0;
  for (const MessageView& message : onward) {
    std::string content;
    append_message_fields(content, envelope_id, message);
    append_recipient_groups(content, message);
    const std::string head =
        "\r\n" + delimiter + "\r\nContent-Type: message/tracking-status\r\n\r\n";
    // A line of ours is no delimiter, whatever it holds, but some clients look at more than whole
    // lines.
    if (content.find(delimiter) != std::string::npos ||
        report.size() + head.size() + content.size() + end.size() > limit) {
      continue;
    }
    report.append(head).append(content);
    ++added;
  }
  report.append(end);
  return added;
}

std::size_t adopt_final_outcomes(std::span<TrackedMessage> own,
                                 std::span<const TrackedMessage> onward,
                                 const ChainRules& rules) {
  std::unordered_map<std::string, const Outcome*> last;  // by each of the names of a recipient
  for (const TrackedMessage& message : onward) {
    for (const Recipient& recipient : message.recipients) {
      if (!std::holds_alternative<Opaque>(recipient.outcome)) {
        last[key_of(recipient.original)] = &recipient.outcome;
        last[key_of(recipient.final)] = &recipient.outcome;
      }
    }
  }
  std::size_t adopted = 0;
  for (TrackedMessage& message : own) {
    for (Recipient& recipient : message.recipients) {
      if (!server_to_ask(recipient, rules)) {
        continue;
      }
      auto found = last.find(key_of(recipient.original));
      if (found == last.end()) {
        found = last.find(key_of(recipient.final));
      }
      if (found != last.end()) {
        recipient.outcome = *found->second;
        ++adopted;
      }
    }
  }
  return adopted;
}

}  // namespace mtrk::mtqpd

#include "milter/ctl/explain_json.h"

namespace mtrk {
namespace {

void put_recipient(JsonOutput& json, std::string_view recipient) {
  if (recipient.empty()) {
    json.null("recipient");
  } else {
    json.text("recipient", recipient);
  }
}

void put_fate(JsonOutput& json, const Fate& fate) {
  json.text("action", to_string(fate.action));
  json.status("status", fate.status);
  if (fate.remote_mta.empty()) {
    json.null("remote_mta");
  } else {
    json.text("remote_mta", fate.remote_mta);
  }
  if (fate.last_attempt) {
    json.time("last_attempt", *fate.last_attempt);
  } else {
    json.null("last_attempt");
  }
}

void put_no_fate(JsonOutput& json) {
  json.null("action");
  json.null("status");
  json.null("remote_mta");
  json.null("last_attempt");
  json.null("will_retry_until");
}

void put_particulars(JsonOutput& json, const Message& message) {
  const Particulars particulars = particulars_of(message);
  if (particulars.sender) {
    json.text("sender", *particulars.sender);
    json.number("size", *particulars.size);
  }
  if (particulars.recipients) {
    json.number("recipients", *particulars.recipients);
  }
  json.text_if("client", particulars.client);
  json.text_if("message_id", particulars.message_id);
}

}  // namespace

void put_account(JsonOutput& json,
                 const Account& account,
                 std::string_view recipient,
                 std::optional<LogTime> until,
                 Detail detail) {
  const Finding& finding = account.finding;
  json.text("queue_id", finding.message->named.trace.root());
  put_recipient(json, recipient.empty() ? finding.name : recipient);
  if (account.fate) {
    put_fate(json, *account.fate);
    if (account.fate->will_retry_until) {
      json.time("will_retry_until", *account.fate->will_retry_until);
    } else {
      json.null("will_retry_until");
    }
  } else {
    put_no_fate(json);
  }
  if (finding.standing == Standing::target || finding.standing == Standing::local_part) {
    json.text("original", finding.name);
  }
  json.text("reason", account.reason);
  if (detail != Detail::brief) {
    json.text_if("words", account.words);
  }
  if (account.open && until) {
    json.time("log_until", *until);
  }
  json.text_if("log_host", finding.message->host);
  json.text_if("instance", finding.message->instance);
  if (detail == Detail::full || (detail == Detail::brief && finding.name.empty())) {
    put_particulars(json, *finding.message);
  }
  if (!account.notes.empty()) {
    json.begin_list("notes");
    for (const std::string& note : account.notes) {
      json.item(note);
    }
    json.end_list();
  }
  if (!account.members.empty()) {  // under other names than the members of the recipient's object
    json.begin_list("members");
    for (const Member& member : account.members) {
      json.begin();
      json.text("member", member.address);
      json.text("fate", to_string(member.fate.action));
      json.status("code", member.fate.status);
      json.text_if("next_hop", member.fate.remote_mta);
      if (member.fate.last_attempt) {
        json.time("at", *member.fate.last_attempt);
      }
      json.text_if("words", member.words);
      json.end_item();
    }
    json.end_list();
  }
  json.begin_list("via");
  if (account.via.empty()) {
    json.item(finding.message->named.trace.root());
  }
  for (const std::string& queue_id : account.via) {
    json.item(queue_id);
  }
  json.end_list();
  json.begin_list("lines");
  for (const Story::Line* line : account.lines) {
    json.item(line->text());
  }
  json.end_list();
}

void write_account(JsonOutput& json,
                   const Account& account,
                   std::string_view recipient,
                   std::optional<LogTime> until,
                   Detail detail) {
  json.begin();
  put_account(json, account, recipient, until, detail);
  json.end();
}

void write_unknown(JsonOutput& json,
                   std::string_view queue_id,
                   std::string_view recipient,
                   std::string_view reason) {
  json.begin();
  json.text("queue_id", queue_id);
  put_recipient(json, recipient);
  put_no_fate(json);
  json.text_if("reason", reason);
  json.begin_list("via");
  json.end_list();
  json.begin_list("lines");
  json.end_list();
  json.end();
}

}  // namespace mtrk

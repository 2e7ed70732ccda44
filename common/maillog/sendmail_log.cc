#include "common/maillog/sendmail_log.h"

#include "common/base/ascii.h"
#include "common/maillog/sendmail_record.h"

#include <algorithm>
#include <utility>

namespace mtrk::maillog {
namespace {

constexpr std::size_t kIdStem = 8;    // time and sequence
constexpr std::size_t kIdDigits = 6;  // at least, for the process
constexpr std::size_t kLongestId = 20;
constexpr std::size_t kMaxWaiting = 1024;  // records and lists together
constexpr std::size_t kLongestRecord = std::size_t{64} << 10;

constexpr std::string_view kGoesOn = " ...";  // ends each part of a record except the last
constexpr std::string_view kMore = " [more], ";
constexpr Seconds kSession{300};
constexpr std::size_t kMaxSessions = 4096;

std::size_t id_length(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size() && i < kIdStem && is_alnum(text[i])) {
    ++i;
  }
  if (i < kIdStem) {
    return 0;
  }
  while (i < text.size() && i < kLongestId && is_digit(text[i])) {
    ++i;
  }
  return i < kIdStem + kIdDigits ? 0 : i;
}

// Takes a part number like "[2]: " off the front. Returns nothing if there is none.
std::optional<unsigned> take_part_number(std::string_view& text) {
  std::size_t i = 1;
  unsigned number = 0;
  while (i < text.size() && i <= 3 && is_digit(text[i])) {
    number = number * 10 + static_cast<unsigned>(text[i] - '0');
    ++i;
  }
  if (text.empty() || text[0] != '[' || i == 1 || text.substr(i, 3) != "]: ") {
    return std::nullopt;
  }
  text.remove_prefix(i + 3);
  return number;
}

std::string process_key(std::string_view queue_id, std::uint32_t pid) {
  return std::string(queue_id) + '/' + std::to_string(pid);
}

bool is_ours(std::string_view program) {
  return program.substr(0, 5) == "mtrk-" || program == "mtrkctl" || program == "mtqpd";
}

bool is_postfix(std::string_view program) {
  return program.substr(0, 7) == "postfix" && program.find('/') != std::string_view::npos;
}

}  // namespace

std::string_view take_sendmail_id(std::string_view& text) {
  const std::size_t length = id_length(text);
  if (length == 0 || text.substr(length, 2) != ": ") {
    return {};
  }
  const std::string_view id = text.substr(0, length);
  text.remove_prefix(length + 2);
  return id;
}

LineKind SendmailParser::parse(const LogLine& line) {
  events_.clear();
  const std::size_t length = id_length(line.text);
  if (line.program.empty() || is_ours(line.program) || is_postfix(line.program)) {
    return LineKind::ignored;
  }
  if (length == 0) {
    note_session(line);
    return LineKind::ignored;
  }
  const std::string_view queue_id = line.text.substr(0, length);
  std::string_view text = line.text.substr(length);
  if (text.substr(0, 2) == ": ") {
    return parse_record(line, queue_id, text.substr(2));
  }
  return parse_part(line, queue_id, text);
}

void SendmailParser::note_session(const LogLine& line) {
  constexpr std::string_view kClient = "STARTTLS=client, ";
  constexpr std::string_view kRelay = "relay=";
  std::string_view text = line.text;
  if (text.substr(0, kClient.size()) != kClient) {
    return;
  }
  text.remove_prefix(kClient.size());
  const std::size_t end = text.find(", version=");
  if (text.substr(0, kRelay.size()) != kRelay || end == std::string_view::npos) {
    sessions_.erase(line.pid);  // the session failed
    return;
  }
  if (sessions_.size() >= kMaxSessions) {
    sessions_.clear();
  }
  sessions_[line.pid] = {line.at, std::string(text.substr(kRelay.size(), end - kRelay.size())),
                         std::string(text.substr(end + 2))};
}

std::string_view SendmailParser::tls_of(const LogLine& line, std::string_view relay) const {
  const auto found = sessions_.find(line.pid);
  if (found == sessions_.end()) {
    return {};
  }
  const Session& session = found->second;
  const bool same = relay.substr(0, session.host.size()) == session.host &&
                    relay.substr(session.host.size(), 2) == " [" && line.at >= session.at &&
                    line.at - session.at <= kSession;
  return same ? std::string_view(session.tls) : std::string_view();
}

// Sendmail writes the parts of a record one after the other. Parts that do not come so are dropped,
// because a part may begin with anything that the other side wrote (THR-H3).
LineKind SendmailParser::parse_part(const LogLine& line,
                                    std::string_view queue_id,
                                    std::string_view text) {
  const std::optional<unsigned> number = take_part_number(text);
  if (!number || *number == 0) {
    return LineKind::ignored;
  }
  const std::string key = process_key(queue_id, line.pid);
  if (*number == 1) {
    if (parts_.size() >= kMaxWaiting) {
      parts_.clear();
    }
    parts_[key] = Parts{};
  }
  const auto parts = parts_.find(key);
  if (parts == parts_.end() || parts->second.count + 1 != *number ||
      parts->second.text.size() + text.size() > kLongestRecord) {
    if (parts != parts_.end()) {
      parts_.erase(parts);
    }
    return LineKind::unparsed;
  }
  parts->second.count = *number;
  const bool goes_on =
      text.size() >= kGoesOn.size() && text.substr(text.size() - kGoesOn.size()) == kGoesOn;
  parts->second.text += text.substr(0, text.size() - (goes_on ? kGoesOn.size() : 0));
  if (goes_on) {
    return LineKind::ignored;
  }
  record_ = std::move(parts->second.text);
  parts_.erase(parts);
  return parse_record(line, queue_id, record_);
}

LineKind SendmailParser::parse_record(const LogLine& line,
                                      std::string_view queue_id,
                                      std::string_view text) {
  if (text.find('\\') != std::string_view::npos) {
    decoded_.clear();
    decode_log_text(text, decoded_);
    text = decoded_;
  }
  if (text.substr(0, 3) == "to=") {
    return parse_delivery(line, queue_id, text);
  }
  if (auto what = parse_sendmail_other(text)) {
    events_.push_back(
        {line.at, queue_id, std::move(*what), Mta::sendmail, line.host, line.program});
    return LineKind::events;
  }
  return LineKind::ignored;
}

LineKind SendmailParser::parse_delivery(const LogLine& line,
                                        std::string_view queue_id,
                                        std::string_view text) {
  SendmailDelivery delivery;
  const bool parsed = parse_sendmail_delivery(text, delivery);
  // This is a list that was cut within quotes. The front of its further records was within quotes
  // too, and they cannot show where those end (THR-H2). So everything is dropped up to the record
  // that does not hold the mark anywhere.
  const bool marked = text.find(kMore) != std::string_view::npos;
  if (!cut_lists_.empty() || (!parsed && marked)) {
    const std::string key = process_key(queue_id, line.pid);
    const bool dropped = cut_lists_.count(key) != 0;
    if (!marked) {
      cut_lists_.erase(key);
    } else if (!dropped && !parsed) {
      if (cut_lists_.size() >= kMaxWaiting) {
        cut_lists_.clear();
      }
      cut_lists_.insert(key);
    }
    if (dropped) {
      return LineKind::unparsed;
    }
  }
  if (!parsed) {
    return LineKind::unparsed;
  }
  delivery.attempt.tls = tls_of(line, delivery.attempt.relay);
  for (const std::string_view logged : delivery.recipients) {
    const SendmailAddress recipient = without_brackets(logged);
    delivery.attempt.recipient = recipient.address;
    delivery.attempt.bracketed = recipient.bracketed;
    events_.push_back(
        {line.at, queue_id, delivery.attempt, Mta::sendmail, line.host, line.program});
  }
  return LineKind::events;
}

}  // namespace mtrk::maillog

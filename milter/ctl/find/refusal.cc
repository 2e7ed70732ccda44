#include "milter/ctl/find/refusal.h"

#include "common/base/ascii.h"
#include "common/maillog/field_scanner.h"
#include "common/maillog/sendmail_record.h"
#include "milter/ctl/find/skim.h"

#include <algorithm>
#include <array>

namespace mtrk::find {
namespace {

constexpr std::string_view kNoQueue = "NOQUEUE";

bool is_ours(std::string_view program) {
  return program.starts_with("mtrk-") || program == "mtrkctl" || program == "mtqpd";
}

std::string_view first_word(std::string_view text) {
  return text.substr(0, std::min(text.find(' '), text.size()));
}

// Returns the status in "550 5.1.1 …", "5.7.1 …" or "554-5.7.1 …", and x.0.0 for "550 …".
std::optional<EnhancedStatus> status_in(std::string_view reply) {
  const bool code = reply.size() > 4 && (reply[0] == '4' || reply[0] == '5') &&
                    is_digit(reply[1]) && is_digit(reply[2]) &&
                    (reply[3] == ' ' || reply[3] == '-');
  if (!code) {
    return parse_enhanced_status(first_word(reply));
  }
  const std::optional<EnhancedStatus> status = parse_enhanced_status(first_word(reply.substr(4)));
  return status ? status : EnhancedStatus{static_cast<std::uint8_t>(reply[0] - '0'), 0, 0};
}

// Returns the value of the last "key=<value>" that follows `before`, as it is in the log.
std::optional<std::string_view> bracketed(std::string_view text, std::string_view key) {
  for (std::size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
    const bool begins = at > 0 && (text[at - 1] == ' ' || text[at - 1] == ';');
    if (!begins) {
      continue;
    }
    maillog::FieldScanner scan(text.substr(at + key.size() - 1));  // from its '<' on
    if (const std::optional<std::string_view> value = scan.take_address()) {
      return value;
    }
  }
  return std::nullopt;
}

// Reads a text of the form STAGE from CLIENT: REPLY; from=<S> to=<R> proto=P helo=<H>[: REPLY]
void read_postfix(std::string_view rest, Refusal& refusal) {
  constexpr std::string_view kFrom = " from ";
  constexpr std::string_view kSender = "; from=<";
  const std::size_t fields = rest.rfind(kSender);
  const std::string_view front = rest.substr(0, std::min(fields, rest.size()));
  const std::string_view back =
      fields == std::string_view::npos ? std::string_view() : rest.substr(fields + 1);
  refusal.stage = front.substr(0, front.find(' '));
  // A checked header is quoted before the client, so the last " from " is smtpd's own.
  const bool quotes =
      refusal.stage == "header" || refusal.stage == "body" || refusal.stage == "mime-error";
  const std::size_t from = quotes ? front.rfind(kFrom) : front.find(kFrom);
  if (from != std::string_view::npos) {
    const std::string_view behind = front.substr(from + kFrom.size());
    const std::size_t close = behind.find(']');  // brackets contain an address and perhaps a port
    const std::size_t end =
        std::min(behind.find(": ", close == std::string_view::npos ? 0 : close), behind.size());
    refusal.client = behind.substr(0, end);
    refusal.reply = behind.substr(std::min(end + 2, behind.size()));
  } else {
    const std::size_t colon = front.find(": ");
    refusal.reply = colon == std::string_view::npos ? front : front.substr(colon + 2);
  }
  if (!back.empty()) {
    refusal.from = bracketed(back, "from=<");
    refusal.to = bracketed(back, "to=<");
    constexpr std::string_view kUser = " sasl_username=";
    if (const std::size_t user = back.find(kUser); user != std::string_view::npos) {
      const std::string_view value = back.substr(user + kUser.size());
      refusal.user = value.substr(0, std::min(value.find_first_of(", :"), value.size()));
      if (refusal.user.size() > 1 && refusal.user.front() == '<' && refusal.user.back() == '>') {
        refusal.user = refusal.user.substr(1, refusal.user.size() - 2);
      }
    }
    constexpr std::string_view kHelo = " helo=<";
    if (const std::size_t helo = back.rfind(kHelo); helo != std::string_view::npos && quotes) {
      const std::size_t end = back.find(">: ", helo);
      refusal.reply = end == std::string_view::npos ? refusal.reply : back.substr(end + 3);
    }
  }
  refusal.status = status_in(refusal.reply);
}

bool read_sendmail(std::string_view text, Refusal& refusal) {
  const auto what = maillog::parse_sendmail_other(text);
  if (!what) {
    return false;
  }
  if (const auto* declined = std::get_if<maillog::Declined>(&*what)) {
    refusal.to = declined->recipient;
    refusal.reply = declined->text;
  } else if (const auto* rejected = std::get_if<maillog::Rejected>(&*what)) {
    refusal.discarded = rejected->verdict == maillog::Verdict::discarded;
    refusal.reply = rejected->text;
  } else {
    return false;
  }
  refusal.stage = text.starts_with("ruleset=")
                      ? text.substr(8, std::min(text.find(','), text.size()) - 8)
                      : text.substr(0, text.find(':'));
  constexpr std::string_view kRelay = ", relay=";
  if (const std::size_t relay = text.find(kRelay); relay != std::string_view::npos) {
    const std::string_view rest = text.substr(relay + kRelay.size());
    refusal.client = rest.substr(0, std::min(rest.find(", "), rest.size()));
  }
  constexpr std::string_view kReject = ", reject=";
  if (const std::size_t reject = text.rfind(kReject); reject != std::string_view::npos) {
    refusal.reply = text.substr(reject + kReject.size());
  }
  if (text.starts_with("Milter: from=<") || refusal.stage == "check_mail") {
    refusal.from = bracketed(text, text[0] == 'M' ? "from=<" : "arg1=<");
  }
  refusal.status = status_in(refusal.reply);
  return true;
}

struct Word {
  std::string_view text;
  bool discarded;
};
constexpr std::array<Word, 9> kPostfixWords = {{{"reject: ", false},
                                                {"milter-reject: ", false},
                                                {"milter-discard: ", true},
                                                {"discard: ", true},
                                                {"proxy-reject: ", false},
                                                {"milter-header-reject: ", false},
                                                {"milter-header-discard: ", true},
                                                {"milter-body-reject: ", false},
                                                {"milter-body-discard: ", true}}};

}  // namespace

bool may_be_refusal(std::string_view record) {
  if (record.starts_with(kNoQueue)) {
    return true;
  }
  const std::string_view text = behind_id(record, queue_id_of(record));
  if (text.empty()) {
    return false;
  }
  switch (text[0]) {
    case 'r':
      return text.starts_with("reject: ") || text.starts_with("ruleset=");
    case 'm':
      return text.starts_with("milter-");
    case 'd':
      return text.starts_with("discard: ") || text.starts_with("discarded");
    case 'p':
      return text.starts_with("proxy-reject: ");
    case 'M':
      return text.starts_with("Milter: ");
    case '<':
      return text.find(">... ") != std::string_view::npos;
    default:
      return false;
  }
}

std::optional<Refusal> parse_refusal(const maillog::LogLine& line) {
  if (line.program.empty() || is_ours(line.program)) {
    return std::nullopt;
  }
  Refusal refusal;
  refusal.at = line.at;
  refusal.host = line.host;
  std::string_view text = line.text;
  if (text.starts_with(kNoQueue)) {
    text.remove_prefix(kNoQueue.size());
    if (!text.starts_with(": ")) {
      return std::nullopt;
    }
    text.remove_prefix(2);
  } else {
    refusal.queue_id = queue_id_of(text);
    text = behind_id(text, refusal.queue_id);
    if (refusal.queue_id.empty()) {
      return std::nullopt;
    }
  }
  for (const Word& word : kPostfixWords) {
    if (text.starts_with(word.text)) {
      refusal.discarded = word.discarded;
      read_postfix(text.substr(word.text.size()), refusal);
      return refusal;
    }
  }
  return read_sendmail(text, refusal) ? std::optional(refusal) : std::nullopt;
}

}  // namespace mtrk::find

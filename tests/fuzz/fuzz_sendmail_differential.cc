// The oracle for all forgeries: records made, as Sendmail makes them, from a
// queue id, recipients, an outcome and hostile text parse back to exactly these, or, where the log
// cut them, to nothing; and another recipient of the same message stays what it was.
#include "common/base/ascii.h"
#include "common/maillog/other_field.h"
#include "common/maillog/sendmail_log.h"
#include "common/maillog/sendmail_meaning.h"
#include "common/maillog/trace_router.h"
#include "tests/fuzz/fuzz_input.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

using mtrk::FuzzInput;
using mtrk::maillog::Attempt;
using mtrk::maillog::DeliveryEvent;
using mtrk::maillog::DeliveryTrace;
using mtrk::maillog::trace::Last;

constexpr std::string_view kId = "6ALGjYoB029826";
constexpr std::string_view kVictim = "victim@v.example";
constexpr std::size_t kSyslogBuffer = 1024;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// What SMTP lets through: printable, also beyond ASCII.
std::string printable(std::string text) {
  for (char& c : text) {
    c = static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return text;
}

std::string make_address(FuzzInput& in, unsigned number) {
  const std::string local = printable(in.text(120));
  std::string quoted = "\"";
  for (const char c : local) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  return quoted + "\"@d" + std::to_string(number) + ".example";
}

std::string shortened(const std::string& text, std::size_t limit) {
  return text.size() <= limit ? text
                              : text.substr(0, limit - 13) + "..." + text.substr(text.size() - 10);
}

// The log's escapes.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const unsigned octet = static_cast<unsigned char>(c);
    if (c == '\\') {
      out += "\\\\";
    } else if (octet >= 0x20 && octet < 0x7F) {
      out += c;
    } else {
      out += '\\';
      for (const unsigned shift : {6U, 3U, 0U}) {
        out += static_cast<char>('0' + (octet >> shift & 7U));
      }
    }
  }
  return out;
}

struct Message {
  std::vector<std::string> recipients;
  Last last = Last::relayed;
  std::string tail;  // ", delay=…, stat=…"
  // With a field that we do not know, and a text that looks as if that had gone on.
  bool doubtful = false;
};

Message make_message(FuzzInput& in) {
  Message made;
  const unsigned count = 1 + in.below(12);
  for (unsigned i = 0; i < count; ++i) {
    made.recipients.push_back(make_address(in, i));
  }
  constexpr std::array<std::string_view, 3> kRelays = {
      "mx.evil.example. [192.0.2.66]", "a,dsn=2.0.0,stat=Sent.evil.example. [192.0.2.66]",
      "[192.0.2.66] [192.0.2.66]"};
  constexpr std::array<std::string_view, 6> kFurther = {"",
                                                        "",
                                                        ", tls_verify=OK, ntries=1",
                                                        ", new=1",
                                                        ", new=\"a, dsn=2.0.0, stat=Sent (ok)\"",
                                                        ", from=<\"x>, stat=Sent\"@y>"};
  const std::string_view further = kFurther[in.below(kFurther.size())];
  made.tail = ", delay=00:00:01, xdelay=00:00:01, mailer=esmtp" + std::string(further) +
              ", pri=60129, relay=";
  made.tail += kRelays[in.below(kRelays.size())];
  const unsigned outcome = in.below(3);
  constexpr std::array<std::string_view, 5> kLitter = {"", "", "\",", "$", " "};
  const std::string litter(kLitter[in.below(kLitter.size())]);
  const std::string hostile = printable(std::string(in.rest().substr(0, 600)));
  made.doubtful = !further.empty() && mtrk::maillog::holds_fields(hostile);
  if (outcome == 0) {
    made.tail += ", dsn=2.0.0, stat=" + shortened("Sent (" + hostile + ")", 203);
  } else if (outcome == 1) {
    made.last = Last::bounced;
    made.tail += ", dsn=5.1.1, reply=550 5.1.1 " + hostile + ", stat=User unknown";
  } else {
    made.last = Last::deferred;
    made.tail += ", dsn=4.7.1, reply=451 4.7.1 " + hostile +
                 ", stat=" + shortened("Deferred: 451 4.7.1 " + hostile, 203);
  }
  made.tail += litter;
  return made;
}

// One record as syslog gets it, in parts if it is too long.
void log_record(const std::string& text, std::vector<std::string>& lines) {
  const std::string whole = escaped(text);
  if (whole.size() + kId.size() < kSyslogBuffer) {
    lines.push_back(std::string(kId) + ": " + whole);
    return;
  }
  const std::size_t room = kSyslogBuffer - kId.size() - 5 - 12;
  std::size_t begin = 0;
  unsigned number = 1;
  while (whole.size() - begin > room) {
    std::size_t end = begin + room;
    while (end > begin && whole[end] != ',' && whole[end] != ' ') {
      --end;
    }
    end = end == begin ? begin + room : end + 1;
    lines.push_back(std::string(kId) + "[" + std::to_string(number++) +
                    "]: " + whole.substr(begin, end - begin) + " ...");
    begin = end;
  }
  lines.push_back(std::string(kId) + "[" + std::to_string(number) + "]: " + whole.substr(begin));
}

// The records of a delivery: the list is cut at a comma, whatever it is part of. True if only
// between addresses.
bool log_delivery(const Message& made, std::vector<std::string>& lines) {
  std::string list;
  std::set<std::size_t> borders;
  for (const std::string& recipient : made.recipients) {
    if (!list.empty()) {
      list += ',';
      borders.insert(list.size());
    }
    list += "<" + recipient + ">";
  }
  const std::size_t used = 100 + made.tail.size();
  const std::size_t room = used < kSyslogBuffer ? kSyslogBuffer - used : 0;
  std::size_t begin = 0;
  bool clean = true;
  while (list.size() - begin >= room) {
    std::size_t cut = std::min(begin + room, list.size() - 1);
    while (cut > begin && list[cut] != ',') {
      --cut;
    }
    if (cut == begin) {
      break;
    }
    log_record("to=" + list.substr(begin, cut + 1 - begin) + " [more]" + made.tail, lines);
    begin = cut + 1;
    clean = clean && borders.count(begin) != 0;
    while (begin < list.size() && list[begin] == ' ') {
      ++begin;
    }
  }
  clean = clean && list.size() - begin <= room;
  log_record("to=" + list.substr(begin, room) + made.tail, lines);
  return clean;
}

class OneTrace : public mtrk::maillog::TraceIndex {
 public:
  explicit OneTrace(std::vector<std::string> recipients)
      : trace_(mtrk::QueueId::parse(kId).value(),
               std::nullopt,
               std::move(recipients),
               mtrk::maillog::Recipients::captured) {}
  DeliveryTrace* find(std::string_view queue_id) override {
    return queue_id == kId ? &trace_ : nullptr;
  }
  void bind(std::string_view /*queue_id*/, DeliveryTrace& /*trace*/) override {}
  void changed(DeliveryTrace& /*trace*/,
               std::span<const std::size_t> /*recipients*/,
               const DeliveryEvent& /*event*/) override {}
  [[nodiscard]] const DeliveryTrace& trace() const { return trace_; }

 private:
  DeliveryTrace trace_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput in(data, size);
  const Message made = make_message(in);
  std::vector<std::string> lines;
  bool clean = log_delivery(made, lines);
  for (const std::string& recipient : made.recipients) {
    // Looks like a list that was cut within quotes, and is dropped as such.
    clean = clean && recipient.find(" [more], ") == std::string::npos;
  }

  std::vector<std::string> captured = made.recipients;
  captured.insert(captured.begin(), std::string(kVictim));
  OneTrace index(std::move(captured));
  const mtrk::maillog::TracePolicy policy{};
  mtrk::maillog::TraceRouter router(policy);
  mtrk::maillog::SendmailParser parser;
  const std::set<std::string> known(made.recipients.begin(), made.recipients.end());
  std::set<std::string> seen;
  for (const std::string& text : lines) {
    const std::string whole = "Nov 21 16:45:34 mx sm-mta[29830]: " + text;
    const mtrk::maillog::StampContext stamps{mtrk::TimePoint(mtrk::Seconds(1795348800)), {}};
    const auto line = split_log_line(whole, stamps);
    require(line.has_value());
    static_cast<void>(parser.parse(*line));
    for (const DeliveryEvent& event : parser.events()) {
      const Attempt* attempt = std::get_if<Attempt>(&event.what);
      require(attempt != nullptr && event.queue_id == kId && attempt->bracketed);
      require(known.count(std::string(attempt->recipient)) != 0);
      const auto meaning = sendmail_meaning_of(*attempt);
      require(meaning.has_value() && meaning->last == made.last);
      seen.emplace(attempt->recipient);
      router.route(event, index);
    }
  }
  require(!clean || made.doubtful || seen == known);
  require(std::holds_alternative<mtrk::Delayed>(index.trace().outcome(0, policy)));
  require(!mtrk::last_attempt_of(index.trace().outcome(0, policy)));
  return 0;
}

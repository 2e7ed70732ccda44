// The oracle for all forgeries: a delivery line made, as Postfix makes it, from a
// queue id, recipients, an outcome and hostile text parses back to exactly these, or, cut off, to
// nothing; any other line that others may write into never is a delivery; and whatever it is, the
// outcome of another recipient, captured for the same queue id or not, stays what it was.
#include "common/maillog/attempt_meaning.h"
#include "common/maillog/other_field.h"
#include "common/maillog/postfix_log.h"
#include "common/maillog/trace_router.h"
#include "tests/fuzz/postfix_writer.h"

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>

namespace {

using namespace std::string_view_literals;
using mtrk::FuzzInput;
using mtrk::maillog::Attempt;
using mtrk::maillog::DeliveryEvent;
using mtrk::maillog::DeliveryTrace;
using mtrk::maillog::LogLine;
using mtrk::maillog::ParsedLine;

constexpr std::string_view kVictim = "victim@v.example";
constexpr std::string_view kVictimId = "4jY1000000z1V";

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

LogLine split(const std::string& line) {
  const mtrk::maillog::StampContext context{mtrk::TimePoint(mtrk::Seconds(1795348800)), {}};
  const auto parts = split_log_line(line, context);
  require(parts.has_value());
  return *parts;
}

struct Delivery {
  std::string service, id, to, original, relay, conn_use, tls, further, dsn, word, text, litter;

  [[nodiscard]] std::string render(bool internal, FuzzInput& in) const;
};

// Without quotes, as info_log_address_format = internal has it.
std::string plain(const std::string& address) {
  const auto lookalike = mtrk::maillog::lookalike_of(address);
  return lookalike ? lookalike->written : address;
}

std::string Delivery::render(bool internal, FuzzInput& in) const {
  std::string line = id + ": to=<" + (internal ? plain(to) : to) + ">";
  line += original.empty() ? "" : ", orig_to=<" + (internal ? plain(original) : original) + ">";
  line += ", relay=" + relay + conn_use + ", delay=" + mtrk::one_of<3>(in, {"0.16", "102", "0"}) +
          ", delays=0.05/0.01/0.05/0.05" + tls + further + ", dsn=" + dsn + ", status=" + word +
          " (" + text + ")" + litter;
  return line;
}

Delivery make_delivery(FuzzInput& in) {
  Delivery made;
  made.service = mtrk::one_of<6>(in, {"smtp", "lmtp", "local", "virtual", "pipe", "error"});
  made.id = in.below(2) == 0 ? std::string(kVictimId) : mtrk::queue_id(in);
  made.to = mtrk::external_address(mtrk::as_logged(in.text(120)), "b.example");
  if (in.below(2) == 1) {
    made.original = mtrk::external_address(mtrk::as_logged(in.text(120)), "a.example");
  }
  made.relay =
      mtrk::one_of<6>(in, {"none", "local", "mx.b.example[192.0.2.1]:25", "mx.six[2001:db8::25]:25",
                           "mx[private/dovecot-lmtp]", "127.0.0.1[127.0.0.1]:10025"});
  made.conn_use = mtrk::one_of<2>(in, {"", ", conn_use=2"});
  made.tls = mtrk::one_of<3>(in, {"", ", tls=dane:may/requiretls", ", tls=!secure?"});
  switch (in.below(8)) {  // a field of a release to come
    case 0:
      made.further = ", notes=bare_lf, attempts=2";
      break;
    case 1:
      made.further =
          ", from=<" + mtrk::external_address(mtrk::as_logged(in.text(60)), "c.example") + ">";
      break;
    default:
      break;
  }
  made.litter = mtrk::one_of<8>(in, {"", "", "", "", "\r", "\",", "#015", "\x1b[0m$"});
  made.dsn = mtrk::one_of<4>(in, {"2.0.0", "4.4.1", "5.1.1", "2.1.5"});
  made.word = mtrk::one_of<6>(
      in, {"sent", "deferred", "bounced", "SOFTBOUNCE", "deliverable", "undeliverable"});
  made.text = mtrk::as_logged(std::string(in.rest().substr(0, 3000)), 3000);
  return made;
}

// What is claimed by the words at the very end of a text.
std::string id_after(std::string_view text, std::string_view words) {
  const std::size_t at = text.rfind(words);
  if (at == std::string_view::npos) {
    return {};
  }
  const std::string_view id = text.substr(at + words.size());
  return mtrk::QueueId::is_queue_id(id) ? std::string(id) : std::string();
}

void check_delivery(const Delivery& made,
                    const std::string& service,
                    const ParsedLine& parsed,
                    bool whole) {
  const auto* event = std::get_if<DeliveryEvent>(&parsed);
  if (event == nullptr) {
    // A line that was not cut is always understood, unless it looks as if a field that we do not
    // know had gone on.
    require(!whole || (!made.further.empty() && mtrk::maillog::holds_fields(made.text)));
    return;
  }
  const auto* attempt = std::get_if<Attempt>(&event->what);
  require(attempt != nullptr && event->queue_id == made.id && attempt->agent == service &&
          attempt->recipient == made.to && attempt->original == made.original &&
          attempt->relay == made.relay && attempt->status == made.word &&
          attempt->dsn == mtrk::parse_enhanced_status(made.dsn));
  const bool by_local = service == "local" || (service.empty() && made.relay == "local");
  if (made.word == "sent" && by_local && made.text.substr(0, 13) == "forwarded as ") {
    require(meaning_of(*attempt, {})->last != mtrk::maillog::trace::Last::delivered);
  }
  if (!whole) {
    require(made.text.substr(0, attempt->text.size()) == attempt->text ||
            made.text + ")" == attempt->text);
    return;
  }
  require(attempt->text == made.text);
  const bool sent = made.word == "sent";
  const bool local = made.relay == "local" && (service.empty() || service == "local");
  const bool forwarded = sent && local && made.text.substr(0, 13) == "forwarded as ";
  require(attempt->forwarded_as == (forwarded ? id_after(made.text, "forwarded as ") : ""));
  const bool handed = sent && made.relay != "local" && made.relay != "none";
  require(attempt->queued_as == (handed ? id_after(made.text, "queued as ") : ""));
}

// Lines that Postfix writes beside deliveries; `hostile` is somewhere in each.
std::string other_line(FuzzInput& in, const std::string& id, std::string& service) {
  struct Form {
    std::string_view service, before, after;
  };
  constexpr std::array<Form, 22> kForms{{
      {"smtpd", "client=", "[192.0.2.9]"},
      {"smtpd", "client=h[192.0.2.9], sasl_method=PLAIN, sasl_username=", ""},
      {"smtpd", "reject: RCPT from h[192.0.2.9]: 554 5.7.1 <", ">: no; from=<a@b> helo=<x>"},
      {"smtpd", "hold: RCPT from h[192.0.2.9]: <", ">: triggers HOLD action; from=<a@b>"},
      {"smtpd", "warn: RCPT from h[192.0.2.9]: ", ";"},
      {"cleanup", "message-id=", ""},
      {"cleanup", "message-id=<", ">"},
      {"cleanup", "resent-message-id=", ""},
      {"cleanup", "warning: header Subject: ", " from h[192.0.2.9];"},
      {"cleanup", "info: body ", " from h[192.0.2.9];"},
      {"cleanup", "prepend: header X: ", " from h[192.0.2.9];"},
      {"cleanup", "hold: header X: ", " from h[192.0.2.9];"},
      {"cleanup", "milter-reject: RCPT from h[192.0.2.9]: ", ";"},
      {"cleanup", "milter-hold: END-OF-MESSAGE from h[192.0.2.9]: ", ";"},
      {"qmgr", "from=<\"", "\"@a.example>, size=1, nrcpt=2 (queue active)"},
      {"pickup", "uid=1000 from=<\"", "\"@a.example>"},
      {"smtp", "host mx[192.0.2.1] said: ", " (in reply to RCPT TO command)"},
      {"smtp", "enabling PIX workarounds: ", " for mx[192.0.2.1]:25"},
      {"local", "passing <", "> to transport=lmtp"},
      {"bounce", "sender non-delivery notification: ", ""},
      {"postscreen", "", ""},
      {"smtpd", "", ""},
  }};
  const Form& form = kForms[in.below(kForms.size())];
  service = form.service;
  std::string hostile = mtrk::as_logged(std::string(in.rest()), 1900);
  if (!form.before.empty() && form.before.back() == '"') {  // within a quoted local part
    for (std::size_t i = 0; i < hostile.size(); ++i) {
      if (hostile[i] == '"' || hostile[i] == '\\') {
        hostile.insert(i++, 1, '\\');
      }
    }
  }
  return id + ": " + std::string(form.before) + hostile + std::string(form.after);
}

class OneTrace : public mtrk::maillog::TraceIndex {
 public:
  OneTrace(std::vector<std::string> recipients)  // NOLINT: made in one place
      : trace_(mtrk::QueueId::parse(kVictimId).value(),
               std::nullopt,
               std::move(recipients),
               mtrk::maillog::Recipients::captured) {
    ids_[std::string(kVictimId)] = &trace_;
  }
  DeliveryTrace* find(std::string_view queue_id) override {
    const auto known = ids_.find(queue_id);
    return known == ids_.end() ? nullptr : known->second;
  }
  void bind(std::string_view queue_id, DeliveryTrace& trace) override {
    ids_[std::string(queue_id)] = &trace;
  }
  void changed(DeliveryTrace& /*trace*/,
               std::span<const std::size_t> /*recipients*/,
               const DeliveryEvent& /*event*/) override {}
  [[nodiscard]] const DeliveryTrace& trace() const { return trace_; }

 private:
  DeliveryTrace trace_;
  std::map<std::string, DeliveryTrace*, std::less<>> ids_;
};

// The victim was tried once; the line is about somebody else.
void check_victim(const ParsedLine& parsed, std::vector<std::string> captured) {
  captured.insert(captured.begin(), std::string(kVictim));
  OneTrace index(std::move(captured));
  mtrk::maillog::TraceRouter router({});
  DeliveryEvent tried{};
  tried.queue_id = kVictimId;
  Attempt& attempt = tried.what.emplace<Attempt>();
  attempt.agent = "smtp";
  attempt.recipient = kVictim;
  attempt.relay = "none";
  attempt.status = "deferred";
  attempt.dsn = mtrk::EnhancedStatus{4, 4, 1};
  router.route(tried, index);
  mtrk::Outcome before = index.trace().outcome(0, {});
  if (const auto* event = std::get_if<DeliveryEvent>(&parsed)) {
    router.route(*event, index);
    if (std::holds_alternative<mtrk::maillog::Held>(event->what) && event->queue_id == kVictimId) {
      // A message that was put on hold is not tried until a date that could be told.
      std::get<mtrk::Delayed>(before).will_retry_until.reset();
    }
  }
  require(index.trace().outcome(0, {}) == before);
  require(!index.trace().refused());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput in(data, size);
  if (in.below(4) == 0) {
    std::string service;
    const std::string id = in.below(2) == 0 ? std::string(kVictimId) : mtrk::queue_id(in);
    const bool fake = in.below(2) == 0;  // begins like a delivery: only our own programs' count
    std::string text = other_line(in, id, service);
    if (fake && (service == "smtpd" || service == "postscreen")) {
      text = id + ": to=<" + std::string(kVictim) +
             ">, relay=mx[192.0.2.1]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (ok)";
    }
    const std::string line =
        "Nov 21 16:46:43 mx postfix/" + service + "[1]: " + mtrk::as_logged(text);
    const ParsedLine parsed = parse_postfix(split(line));
    require(!std::holds_alternative<mtrk::maillog::Unparsed>(parsed));
    if (const auto* event = std::get_if<DeliveryEvent>(&parsed)) {
      require(!std::holds_alternative<Attempt>(event->what) && event->queue_id == id);
      if (const auto* client = std::get_if<mtrk::maillog::Client>(&event->what)) {
        // A host name has no comma, so only XFORWARD's own key is one.
        require(client->orig_queue_id.empty() || text.find("client=") + 7 <= text.find(", orig_"));
      }
      if (std::holds_alternative<mtrk::maillog::Held>(event->what)) {
        // Hostile text never puts a message on hold: the word stands where only Postfix writes.
        const std::string_view said = std::string_view(text).substr(id.size() + 2);
        require(said.substr(0, 6) == "hold: " || said.substr(0, 13) == "milter-hold: ");
      }
    }
    if (service != "smtpd" && service != "postscreen") {
      check_victim(parsed, {});
    }
    return 0;
  }
  const bool internal = in.below(4) == 0;
  const std::size_t cut = in.below(4) == 0 ? 40 + in.octet() : 2000;
  const Delivery made = make_delivery(in);
  const mtrk::Header header = mtrk::header(in, made.service);
  const std::string text = made.render(internal, in);
  const std::string line = header.text + mtrk::as_logged(text, cut);
  const ParsedLine parsed = parse_postfix(split(line));
  if (!internal) {
    check_delivery(made, header.service, parsed, text.size() <= cut);
  }
  check_victim(parsed, {made.to, made.original});
  return 0;
}

// reliability §5.1, the oracle for all forgeries: a line made, as Postfix makes it, from a queue
// id, a recipient, an outcome and hostile text parses back to exactly these, or to nothing.
#include "common/maillog/postfix_log.h"
#include "tests/fuzz/fuzz_input.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

// printable(…, '?'): no control characters reach the log.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      c = '?';
    }
  }
  return text;
}

// External form: the local part is quoted as a whole when it has to be.
std::string external_address(const std::string& local, const std::string& domain) {
  bool quote = local.empty();
  std::string quoted = "\"";
  for (const char c : local) {
    constexpr std::string_view kSpecials = " ()<>[]:;@\\,\".";
    quote = quote || kSpecials.find(c) != std::string_view::npos;
    if (c == '"' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  return (quote ? quoted + "\"" : local) + "@" + domain;
}

std::string queue_id(mtrk::FuzzInput& in) {
  constexpr std::string_view kLetters = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
  std::string id = "4";
  for (unsigned i = 6 + in.below(9); i > 0; --i) {
    id += kLetters[in.below(static_cast<unsigned>(kLetters.size()))];
  }
  return id;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<std::string_view, 5> kWords = {"sent", "deferred", "bounced", "SOFTBOUNCE",
                                                      "deliverable"};
  constexpr std::array<std::string_view, 3> kRelays = {"none", "mx[192.0.2.1]:25", "mx[/lmtp]"};
  mtrk::FuzzInput in(data, size);
  const std::string id = queue_id(in);
  const std::string to = external_address(printable(in.text(64)), "b.example");
  const std::string original = external_address(printable(in.text(64)), "a.example");
  const bool has_original = in.below(2) == 1;
  const std::string_view relay = kRelays[in.below(kRelays.size())];
  const std::string_view word = kWords[in.below(kWords.size())];
  const std::size_t cut = in.below(4) == 0 ? 40 + in.octet() : 2000;
  const std::string reply = printable(std::string(in.rest().substr(0, 3000)));

  std::string text = id + ": to=<" + to + ">";
  text += has_original ? ", orig_to=<" + original + ">" : "";
  text += ", relay=" + std::string(relay) +
          ", delay=0.1, delays=0/0/0/0.1, dsn=5.1.1, status=" + std::string(word) + " (" + reply +
          ")";
  const bool whole = text.size() <= cut;
  text.resize(std::min(text.size(), cut));

  mtrk::maillog::LogLine line{};
  line.program = "postfix/smtp";
  line.text = text;
  const mtrk::maillog::ParsedLine parsed = mtrk::maillog::parse_postfix(line);
  const auto* event = std::get_if<mtrk::maillog::DeliveryEvent>(&parsed);
  if (event == nullptr) {
    if (whole) {
      std::abort();  // a line that was not cut is always understood
    }
    return 0;
  }
  const auto* attempt = std::get_if<mtrk::maillog::Attempt>(&event->what);
  if (attempt == nullptr || event->queue_id != id || attempt->recipient != to ||
      attempt->original != (has_original ? original : "") || attempt->relay != relay ||
      attempt->status != word || (whole && attempt->text != reply)) {
    std::abort();
  }
  return 0;
}

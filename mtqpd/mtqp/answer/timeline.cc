#include "mtqpd/mtqp/answer/timeline.h"

#include "common/base/ascii.h"
#include "common/track/utf8_address.h"
#include "mtqpd/mtqp/answer/status_words.h"

#include <string_view>

namespace mtrk::cli {
namespace {

// Addresses and names are cut at this size: RFC 5321 allows 320 octets, a hostile server sends any
// number.
constexpr std::size_t kMaxShown = 320;

std::string safe(std::string_view text) {
  return escape_for_people(text, kMaxShown);
}

struct Mark {
  std::string_view unicode;
  std::string_view ascii;
  std::string_view color;  // parameters of SGR, the terminal sequence
};

Mark mark_of(Action action) {
  switch (action) {
    case Action::delivered:
    case Action::relayed:
    case Action::expanded:
      return {"\u2713", "+", "32"};
    case Action::failed:
      return {"\u2717", "x", "31"};
    case Action::delayed:
      return {"\u2026", "~", "33"};
    case Action::transferred:
      return {"\u2192", ">", "36"};
    case Action::opaque:
      break;
  }
  return {"?", "?", "33"};
}

// Returns " (5.1.1, no such mailbox)", or nothing without a status.
std::string status_text(const std::optional<EnhancedStatus>& status) {
  if (!status) {
    return "";
  }
  return " (" + format_enhanced_status(*status) + ", " + std::string(words_for(*status)) + ")";
}

std::string remote(std::string_view preposition, const std::optional<MtaName>& mta) {
  return mta ? " " + std::string(preposition) + " " + safe(mta->name) : "";
}

class Timeline {
 public:
  Timeline(const Travel& travel, const TimelineStyle& style) : travel_(travel), style_(style) {
    blank_.assign(style_.time(TimePoint()).size(), ' ');
  }

  std::string format() && {
    for (const Journey& journey : journeys_of(travel_)) {
      add_journey(journey);
    }
    for (const Hop& hop : travel_.hops) {
      add_source(hop);
    }
    if (travel_.loop) {
      out_ += "the servers refer to each other in a circle\n";
    }
    if (travel_.hop_limit) {
      out_ += "there are more servers to ask than allowed\n";
    }
    return std::move(out_);
  }

 private:
  // Returns characters as they are where the terminal can show them, and otherwise the ASCII that
  // the server sent.
  [[nodiscard]] std::string shown(const TypedAddress& address) const {
    return style_.unicode
               ? show_utf8_address(address.value, iequals(address.type, "utf-8"), kMaxShown)
               : safe(address.value);
  }

  void add_journey(const Journey& journey) {
    out_ += paint("1", shown(address_of(*journey.front().recipient))) + "\n";
    for (std::size_t i = 0; i < journey.size(); ++i) {
      const TrackingStatus& part = *journey[i].part;
      add_line(part.arrival, "  ", "accepted by " + safe(part.reporting_mta.name));
      add_outcome(*journey[i].recipient, i + 1 == journey.size());
    }
    out_ += "\n";
  }

  void add_outcome(const ReportedRecipient& recipient, bool last) {
    const Mark mark = mark_of(recipient.action);
    const std::string symbol =
        paint(mark.color, std::string(style_.unicode ? mark.unicode : mark.ascii)) + " ";
    std::string text = sentence(recipient);
    if (recipient.action == Action::transferred && last) {
      text += ", which gave no answer";
    }
    add_line(recipient.last_attempt, symbol, text);
  }

  [[nodiscard]] std::string sentence(const ReportedRecipient& r) const {
    switch (r.action) {
      case Action::delivered:
        return "delivered" + status_text(r.status);
      case Action::relayed:
        return "relayed" + remote("to", r.remote_mta) + ", beyond which nothing is tracked";
      case Action::expanded:
        return "expanded: it went on to several addresses, which are not shown";
      case Action::transferred:
        return "passed on" + remote("to", r.remote_mta);
      case Action::failed:
        return "failed" + status_text(r.status) + remote("at", r.remote_mta);
      case Action::delayed:
        break;
      case Action::opaque:
        return "nothing is known";
    }
    std::string text = r.last_attempt
                           ? "delayed" + status_text(r.status) + remote("at", r.remote_mta)
                           : "waiting, not tried yet";
    if (r.will_retry_until) {
      text += ", will be tried until " + style_.time(r.will_retry_until->at);
    }
    return text;
  }

  void add_line(const std::optional<ZonedTime>& at,
                std::string_view symbol,
                std::string_view text) {
    out_.append("  ").append(at ? style_.time(at->at) : blank_).append("  ");
    out_.append(symbol).append(text).append("\n");
  }

  void add_source(const Hop& hop) {
    // If the port is not given, it comes from the DNS and is part of the address.
    const std::string server = hop.server.port ? to_string(hop.server) : hop.server.host;
    out_ += "asked " + safe(server);
    if (const HopAnswer* answer = hop.answer()) {
      out_ += answer->address.empty() || answer->address == server ? "" : " at " + answer->address;
      out_ += answer->tls ? " (TLS)" : " (in clear)";
    } else {
      out_ += ": " + safe(hop.failure()->detail);
    }
    out_ += "\n";
  }

  [[nodiscard]] std::string paint(std::string_view color, std::string text) const {
    return style_.color ? "\x1b[" + std::string(color) + "m" + text + "\x1b[0m" : text;
  }

  const Travel& travel_;
  const TimelineStyle& style_;
  std::string blank_;
  std::string out_;
};

}  // namespace

std::string format_timeline(const Travel& travel, const TimelineStyle& style) {
  return Timeline(travel, style).format();
}

}  // namespace mtrk::cli

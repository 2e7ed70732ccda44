#pragma once

#include <optional>
#include <string>
#include <string_view>

// The outbound gate puts a tag into the text of each reply that it passes on, so that the reader of
// the mail system's log learns the true next hop (contrib/doc/outcomes.md). The tag stands after
// the reply code and the enhanced code, before the text of the next hop:
//
//   250 2.0.0 mtrk-gate=transferred/mx.example.net[192.0.2.25]:25 Ok: queued as 4jW…
//
//   tag  = "mtrk-gate=" word "/" host "[" address "]:" port
//   word = "transferred"   MTRK= was passed on with this message
//        / "relayed"       it was not
//
// The host and the address contain no blank, bracket or control character; the host is empty if
// only the address is known. A tag counts only in that place, and only in a line about a delivery
// to the gate's own address: elsewhere anyone may have written it. If the text of a next hop looks
// like a tag, the gate makes it unrecognisable.
namespace mtrk {

struct GateTag {
  bool transferred = false;
  std::string host;
  std::string address;
  std::string port;

  // Returns the name for Remote-MTA: the host, or the address as a literal like "[192.0.2.25]".
  [[nodiscard]] std::string remote_mta() const;
  bool operator==(const GateTag&) const = default;
};

// Formats a tag. Characters that must not occur in a host or address become "?".
[[nodiscard]] std::string format_gate_tag(const GateTag& tag);

// Finds the tag in a reply as Postfix logs it: "250 2.0.0 mtrk-gate=…". The enhanced code may be
// absent. Returns nothing if there is no tag. Runs in linear time.
[[nodiscard]] std::optional<GateTag> find_gate_tag(std::string_view reply);
// Finds the tag in the text of a reply without its code, as Sendmail logs a success.
[[nodiscard]] std::optional<GateTag> find_gate_tag_in_text(std::string_view text);

// Inserts the tag into the text of one reply line (the part after the code), and makes anything
// else in it that looks like a tag unrecognisable.
[[nodiscard]] std::string insert_gate_tag(std::string_view text, const GateTag& tag);

}  // namespace mtrk

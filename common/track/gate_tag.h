#pragma once

#include <optional>
#include <string>
#include <string_view>

// What the outbound gate says in the text of each reply that it passes on, so that who reads the
// mail system's log learns the true next hop (contrib/doc/outcomes.md). It stands behind the
// reply's code and enhanced code, before anything the next hop said:
//
//   250 2.0.0 mtrk-gate=transferred/mx.example.net[192.0.2.25]:25 Ok: queued as 4jW…
//
//   tag  = "mtrk-gate=" word "/" host "[" address "]:" port
//   word = "transferred"   MTRK= was passed on with this message
//        / "relayed"       it was not
//
// host and address hold no blank, bracket or control character; host is empty if only the address
// is known. A tag counts only at that place, and only in a line about a delivery to the gate's own
// address: elsewhere anybody may have written it. What a next hop writes that looks like a tag is
// spoilt by the gate.
namespace mtrk {

struct GateTag {
  bool transferred = false;
  std::string host;
  std::string address;
  std::string port;

  // The name for Remote-MTA: the host, or the address as a literal, "[192.0.2.25]".
  [[nodiscard]] std::string remote_mta() const;
  bool operator==(const GateTag&) const = default;
};

// Characters that have no place in a host or address become "?".
[[nodiscard]] std::string format_gate_tag(const GateTag& tag);

// `reply` is "250 2.0.0 mtrk-gate=…", as Postfix logs it; the enhanced code may be absent. Total
// and linear.
[[nodiscard]] std::optional<GateTag> find_gate_tag(std::string_view reply);
// The same of a reply's text, without the code, as Sendmail logs a success.
[[nodiscard]] std::optional<GateTag> find_gate_tag_in_text(std::string_view text);

// The text of one reply line (behind its code) with the tag put in, look-alikes spoilt.
[[nodiscard]] std::string insert_gate_tag(std::string_view text, const GateTag& tag);

}  // namespace mtrk

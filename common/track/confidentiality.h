#pragma once

#include "common/track/message_view.h"

#include <string_view>

// A confidentiality policy removes from an answer what its readers must not learn (RFC 3886 §4.2,
// RFC 3885 §4.2, A-35). It changes the views of a message before they are formatted; the store
// keeps the truth. The functions are pure and total: every result is a report that RFC 3886 allows.
namespace mtrk {

struct Confidentiality {
  // Forwarding says what is shown of a recipient that an alias or forward sends to exactly one
  // address (`redirected`).
  enum class Forwarding {
    // (a) The destination is hidden: there is no Remote-MTA, and transferred becomes relayed.
    hide,
    reveal,  // everything is shown
    // (b) Once there was an attempt, the recipient counts as delivered here, whatever the result
    // was.
    final,
  };
  Forwarding forwarding = Forwarding::hide;
  // Remote-MTA never names an internal host: see is_internal_host(). A transferred recipient whose
  // Remote-MTA must be hidden becomes relayed.
  bool hide_hosts = false;
};

void apply_confidentiality(const MessageView& message, const Confidentiality& policy);

// Returns whether `host` is internal. These are names without a dot or under a private top-level
// domain; addresses of private, loopback and link-local networks (as "[192.0.2.1]" or without
// brackets); and names in the domain of `reporting_mta`, if that has at least three labels (for
// "mx.example.net", all of "*.example.net").
[[nodiscard]] bool is_internal_host(std::string_view host, std::string_view reporting_mta);

}  // namespace mtrk

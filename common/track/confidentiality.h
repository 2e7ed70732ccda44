#pragma once

#include "common/track/message_view.h"

#include <string_view>

// What an answer leaves out (RFC 3886 §4.2, RFC 3885 §4.2, A-35): applied to views of the record
// before they are formatted; the store itself keeps the truth. Pure and total: every result is
// again a report that RFC 3886 allows.
namespace mtrk {

struct Confidentiality {
  // A recipient behind an alias or forward to one address (`redirected`):
  enum class Forwarding {
    hide,    // (a): where it went stays hidden: no Remote-MTA, transferred becomes relayed
    reveal,  // as it is
    final,   // (b): once an attempt was made, whatever its fate, it counts as delivered here
  };
  Forwarding forwarding = Forwarding::hide;
  // No Remote-MTA that names a host of ours: see is_internal_host(). A transferred recipient whose
  // Remote-MTA must stay hidden becomes relayed.
  bool hide_hosts = false;
};

void apply_confidentiality(const MessageView& message, const Confidentiality& policy);

// Names without a dot or under a private top-level domain, addresses of private, loopback and
// link-local networks (as "[192.0.2.1]" or bare), and names in the domain of `reporting_mta` when
// that itself has at least three labels ("mx.example.net" makes "*.example.net" ours).
[[nodiscard]] bool is_internal_host(std::string_view host, std::string_view reporting_mta);

}  // namespace mtrk

#pragma once

#include "common/track/tracking_status.h"
#include "mtqpd/chain/plan.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Makes the answers of other servers part of our own (RFC 3887 §2.4). Their octets are never passed
// on. What they mean is put into the types of our own reports, and only as far as it answers the
// question (THR-C6). Pure.
namespace mtrk::mtqpd {

struct ChainQuestion {
  std::string_view envelope_id;         // decoded, as asked for
  std::span<const TrackedMessage> own;  // what the store has, with nothing left out
  const ChainRules& rules;
};

// Returns the parts of `server`'s answer that may be believed, in the order of the answer. A part
// has to be about this envelope id, and be reported by `server` or an MTA that the rules list, but
// by none of ours (THR-X7). Its recipients have to be those that were transferred to `server`, or
// those that an earlier part names in their place, and each group has to be one that RFC 3886
// allows. For what is left out the referral stays the answer. Linear in the size of the answer.
[[nodiscard]] std::vector<TrackedMessage> accept_parts(std::span<const TrackingStatus> parts,
                                                       std::string_view server,
                                                       const ChainQuestion& question);

// Removes the names of our own hosts (is_internal_host()). One that reports does so as `own`, as in
// example 12 of RFC 3887; one that is a next hop is not named; an address at one is replaced by the
// original address.
void disguise_hosts(std::span<MessageView> onward, const TypedView& own);

// For "all hops": appends a body part for each of `onward` to `report`, an entity of
// append_report(), as long as it has no more than `limit` octets. Returns how many were added.
[[nodiscard]] std::size_t append_parts(std::string& report,
                                       std::string_view envelope_id,
                                       std::span<const MessageView> onward,
                                       std::size_t limit);

// For "the final hop only", as in example 11 of RFC 3887: gives recipients about which a server was
// asked the outcome that the last of `onward` reports. Returns how many recipients got one.
[[nodiscard]] std::size_t adopt_final_outcomes(std::span<TrackedMessage> own,
                                               std::span<const TrackedMessage> onward,
                                               const ChainRules& rules);

}  // namespace mtrk::mtqpd

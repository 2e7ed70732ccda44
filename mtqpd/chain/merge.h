#pragma once

#include "common/track/tracking_status.h"
#include "mtqpd/chain/plan.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What other servers said becomes part of an answer of ours (RFC 3887 §2.4). Their octets are never
// passed on: what they mean is, in the types a report of ours is made of, and only what answers the
// question (THR-C6). Pure.
namespace mtrk::mtqpd {

struct ChainQuestion {
  std::string_view envelope_id;         // decoded, as asked for
  std::span<const TrackedMessage> own;  // what the store has, nothing left out
  const ChainRules& rules;
};

// The parts of `server`'s answer that may be believed: about this envelope id; by `server` itself
// or an MTA the rules list, and none of ours (THR-X7); of recipients that went there, or that a
// part before names in their place; each group one that RFC 3886 allows. What is left out leaves
// the referral as the answer. In the order of the answer; linear in its size.
[[nodiscard]] std::vector<TrackedMessage> accept_parts(std::span<const TrackingStatus> parts,
                                                       std::string_view server,
                                                       const ChainQuestion& question);

// Hosts of ours (is_internal_host()) lose their names: one that reports does so as `own`, as in
// example 12 of RFC 3887; next hops are not named; an address at one becomes the original address.
void disguise_hosts(std::span<MessageView> onward, const TypedView& own);

// All hops: adds a body part for each of `onward` behind those of `report`, an entity of
// append_report(), up to `limit` octets. Returns how many were added.
[[nodiscard]] std::size_t append_parts(std::string& report,
                                       std::string_view envelope_id,
                                       std::span<const MessageView> onward,
                                       std::size_t limit);

// The final hop only, as in example 11 of RFC 3887: recipients that a server was asked about get
// the outcome that the last of `onward` tells of them. Returns how many did.
[[nodiscard]] std::size_t adopt_final_outcomes(std::span<TrackedMessage> own,
                                               std::span<const TrackedMessage> onward,
                                               const ChainRules& rules);

}  // namespace mtrk::mtqpd

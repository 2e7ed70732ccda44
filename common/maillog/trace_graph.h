#pragma once

#include "common/base/time.h"
#include "common/maillog/queue_space.h"
#include "common/track/enhanced_status.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// A DeliveryTrace consists of nodes (each is the message under one queue id, or under several if it
// was requeued) and slots (each says what became of one recipient of a node). Both are private to
// the trace.
namespace mtrk::maillog::trace {

inline constexpr std::uint32_t kNone = 0xFFFFFFFF;

enum class Link : std::uint8_t {
  root,
  forwarded,  // made by local(8) for one slot of the parent: everything in it belongs to that slot
  filtered,   // re-injected by a content filter: its recipients match the targets of the parent
  // The same Message-Id came in over loopback, or by sendmail(1), while the parent was handed on.
  // The recipients that both have continue in it, and no others.
  returned,
  picked_up,
};

// A MemberHash stands for a target beside the first one of its address: it has 32 bits of the
// address' hash, 31 of the target's, and kDoubtful (trace_members.cc). If two are the same by
// chance, a fate is reported a moment too late, and never too early.
using MemberHash = std::uint64_t;

struct Node {
  std::vector<std::string> ids;  // the last one is current, the others were requeued
  Link link = Link::root;
  std::uint32_t parent = kNone;
  std::uint32_t slot = kNone;    // forwarded: the slot of the parent that it works for
  std::uint32_t depth = 0;       // hops from the root
  QueueSpace space;              // the queue of these ids, as far as the lines showed it
  std::uint32_t recipients = 0;  // nrcpt=, 0 if not seen
  std::uint64_t message_id = 0;  // hash, 0 if not seen
  bool seen = false;             // something of it was logged (more than client=)
  bool alive = false;            // accepted: in the queue, tried, or held
  bool gave_up = false;          // expired: returned to sender
  bool removed = false;          // it left the queue
  bool refused = false;          // rejected or discarded after all
  bool closed = false;           // its id was given to another message
  bool held = false;             // on hold: no attempts, no expiry
  LogTime at;                    // filtered, returned, picked_up: time of its first line
  bool bound = false;            // a returned node that has joined (not kept)
  // These are the further targets of its addresses, and the recipients that were not given, as far
  // as the log has named them. They are kept until it is settled that no more will come.
  std::vector<MemberHash> members;
  bool settled = false;
  LogTime active_at = LogTime::min();      // when it last came into the active queue
  bool put_off = false;                    // a recipient was put off after that
  std::uint32_t slots = 0;                 // number of its slots (derived)
  std::array<std::uint32_t, 4> waiting{};  // number of waiting slots by Wait (derived)
  std::vector<std::uint32_t> filtered;     // children that a filter re-injected (derived)
};

// A slot that has one target with an end may turn out to have further targets. Wait says until when
// that may be (trace_members.cc); each kind ends with the next one at the latest.
enum class Wait : std::uint8_t {
  none,
  lines,    // It ends when as many recipients were logged as nrcpt= says.
  members,  // The same, but two lines of local(8) for one address count as one recipient.
  pass,     // It ends when the queue manager is done with all recipients.
};

enum class Last : std::uint8_t {  // what the last relevant line said
  deferred,
  bounced,
  delivered,
  relayed,
  forwarded,
  unknown,      // sent, by an agent that may have delivered it or handed it on
  transferred,  // mtrk-gate passed it on with MTRK=
  discarded,    // delivered to nowhere, as configured
};

// A Slot holds the attempts for one recipient of a node: those with the same orig_to= (or to= if
// there is none). In a forwarded node it holds all attempts, and its key is empty.
struct Slot {
  std::uint32_t node = 0;
  std::string key;
  std::string target;         // key of to=
  bool several = false;       // more than one target: the members below do not matter any more
  bool local = false;         // the last line came from local(8)
  bool maybe_filter = false;  // sent to a relay that may have re-injected it
  bool filter = false;        // the relay is one, because it is configured or by its reply
  bool pipe = false;          // by pipe(8)
  Wait wait = Wait::none;
  Last last = Last::deferred;
  EnhancedStatus status{4, 0, 0};
  TimePoint at;
  std::string remote_mta;              // name of type dns, empty if none
  std::uint32_t id = 0;                // index in Node::ids of the id in the last line
  std::uint32_t child = kNone;         // the node that continues it
  std::vector<std::uint32_t> returns;  // nodes that may continue it
  std::string queued_as;               // the next hop's id for it, while that may become a child
  std::uint64_t text = 0;              // hash of the text of local(8)
  // These are hashes of the last lines, because a duplicate must change nothing.
  std::array<std::uint64_t, 4> lines{};
};

// Returns the name of (node, key) in the indexes of a trace.
[[nodiscard]] inline std::string slot_name(std::uint32_t node, std::string_view key) {
  std::string name(reinterpret_cast<const char*>(&node), sizeof node);
  return name.append(key);
}

// Returns whether only its recipients show that the node belongs to this message.
[[nodiscard]] inline bool is_weak(Link link) {
  return link == Link::returned || link == Link::picked_up;
}

[[nodiscard]] inline bool is_final(Last last) {
  return last != Last::deferred;
}

}  // namespace mtrk::maillog::trace

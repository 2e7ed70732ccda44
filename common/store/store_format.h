#pragma once

#include <cstddef>
#include <cstdint>

// The store on disk, format 1. One LMDB environment, default (fully synchronous) mode, one writing
// process at a time in normal operation; readers open it MDB_RDONLY. This header is the contract;
// record_codec.h has the code, tests/data/store-v1 a golden store that must stay readable for ever.
//
// Databases (all keys big-endian, so that order is order of value):
//
//   meta      name → value          "format" u64, "serial" u64 (a transaction id; see below),
//                                   "salt" 16 octets (plain), "salt.crc" its CRC32C
//                                   (4 octets; not in stores that no newer writer has opened)
//   message   key(32) ‖ serial(8)   → message record (TrackedMessage): one SMTP transaction. Those
//                                   with one key are the same message sent more than once;
//                                   at most kMaxTransactions are kept
//   queue     queue id ‖ 0 ‖ incarnation(4)
//                                   → serial of the transaction this queue id works for
//   trace     serial(8)             → trace record: message key, ENVID and certifier (for MTRK at
//                                   the next hop; gone when the message leaves the queue), where it
//                                   came from, the DeliveryTrace
//   expiry    at(8) ‖ key(32) ‖ serial(8) → nothing: when the sweep looks at the message next
//   due       at(8) ‖ serial(8) ‖ reason(1) → nothing: when the sweep looks at the trace next
//   cursor    source name           → where the log follower stands (LogCursor)
//   aside     database ‖ 0 ‖ key    → a row that failed its check, for mtrkctl
//
// Values: version octet, explicit fields (common/base/codec.h), CRC-32C of all before it as the
// last four octets. A value that fails the check is never served: the answer is "unavailable", and
// the writer sets the row aside when it meets it. Nothing here ever stops mail.
//
// Invariants: every trace row has its message row and at least one queue row; a queued message has
// a trace row; ENVID and certifier exist in trace rows only. A message row has an expiry row, and
// the trace of one that may have been refused a row in `due`; both come later for traces with
// serials above "serial", as a capture that somebody waits for is worth no more pages than must be.
// Whoever next writes a log position or sweeps files those, and moves "serial" on. New transaction
// ids are above "serial" and all traces. Rows of `expiry` and `due` are reminders: one that finds
// nothing to do is dropped.
namespace mtrk::store {

inline constexpr std::uint32_t kFormat = 1;
inline constexpr std::size_t kMaxTransactions = 256;  // per message key
inline constexpr const char* kMeta = "meta";
inline constexpr const char* kMessage = "message";
inline constexpr const char* kQueue = "queue";
inline constexpr const char* kTrace = "trace";
inline constexpr const char* kExpiry = "expiry";
inline constexpr const char* kDue = "due";
inline constexpr const char* kCursor = "cursor";
inline constexpr const char* kAside = "aside";

}  // namespace mtrk::store

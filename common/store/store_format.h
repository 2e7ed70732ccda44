#pragma once

#include <cstddef>
#include <cstdint>

// This header is the contract for the store on disk, format 1. The store is one LMDB environment in
// the default (fully synchronous) mode. In normal operation it has one writing process at a time;
// readers open it MDB_RDONLY. record_codec.h has the code, and tests/data/store-v1 is a golden
// store that must stay readable for ever.
//
// Databases (all keys are big-endian, so that the order of keys is that of values):
//
//   meta      name → value          "format" u64, "serial" u64 (a transaction id; see below),
//                                   "salt" 16 octets (plain), "salt.crc" its CRC32C
//                                   (4 octets; absent from stores that no newer writer has opened)
//   message   key(32) ‖ serial(8)   → message record (TrackedMessage): one SMTP transaction. Those
//                                   with one key are the same message sent more than once;
//                                   at most kMaxTransactions are kept
//   queue     queue id ‖ 0 ‖ incarnation(4)
//                                   → serial of the transaction this queue id works for
//   trace     serial(8)             → trace record: message key, ENVID and certifier (for MTRK at
//                                   the next hop; removed when the message leaves the queue), its
//                                   origin, and the DeliveryTrace
//   expiry    at(8) ‖ key(32) ‖ serial(8) → nothing: when the sweep looks at the message next
//   due       at(8) ‖ serial(8) ‖ reason(1) → nothing: when the sweep looks at the trace next
//   cursor    source name           → the position of the log follower (LogCursor)
//   aside     database ‖ 0 ‖ key    → a row that failed its check, for mtrkctl
//
// A value is a version octet, explicit fields (common/base/codec.h), and, as the last four octets,
// the CRC-32C of all before them. A value that fails the check is never served: the answer is
// "unavailable", and the writer sets the row aside when it meets it. Nothing here ever stops mail.
//
// Invariants: every trace row has its message row and at least one queue row. A queued message has
// a trace row. ENVID and certifier exist in trace rows only. A message row has an expiry row, and
// the trace of a message that may have been refused has a row in `due`. For traces with serials
// above "serial" both rows are written later, because a capture whose commit somebody waits for
// should write as few pages as possible. The next operation that writes a log position or sweeps
// also writes these rows, and advances "serial". New transaction ids are greater than "serial" and
// all traces. Rows of `expiry` and `due` are reminders: one that finds nothing to do is dropped.
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

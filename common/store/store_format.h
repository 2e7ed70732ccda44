#pragma once

#include <cstdint>
#include <string_view>

// The store on disk, format 1. One LMDB environment, default (fully synchronous) mode, one writing
// process at a time in normal operation; readers open it MDB_RDONLY. This header is the contract;
// record_codec.h has the code, tests/data/store-v1 a golden store that must stay readable for ever.
//
// Databases (all keys big-endian, so that order is order of value):
//
//   meta      name → value          "format" u32, "salt" 16 octets, "serial" u64 (last transaction
//                                   id given out), "generation" u64 (bumped by every other writer
//                                   than the daemon, so that it re-reads what it caches), counters
//   message   key(32) ‖ serial(8)   → message record: one SMTP transaction (TrackedMessage).
//   Several
//                                   with one key are the same message sent more than once;
//                                   at most kMaxTransactions are kept
//   queue     queue id ‖ 0 ‖ incarnation(4)
//                                   → serial(8) of the transaction this queue id works for
//   trace     serial(8)             → trace record: message key, ENVID and certifier (needed to
//   pass
//                                   MTRK on, gone when the message leaves the queue), stage, the
//                                   DeliveryTrace
//   expiry    expires_at(8) ‖ key(32) ‖ serial(8) → nothing: the sweep is a range scan
//   cursor    source name           → where the log follower stands (LogCursor)
//
// Values: version octet, explicit fields (common/base/codec.h), CRC-32C of all before it as the
// last four octets. A value that fails the check is never served: it counts as corrupt, the answer
// is "unavailable", and the writer sets the row aside. Nothing here ever stops mail.
//
// Invariants: every trace row has its message row and at least one queue row; a message row has an
// expiry row; a queued message has a trace row; ENVID and certifier exist in trace rows only.
namespace mtrk::store {

inline constexpr std::uint32_t kFormat = 1;
inline constexpr std::size_t kMaxTransactions = 256;  // per message key
inline constexpr std::string_view kMeta = "meta";
inline constexpr std::string_view kMessage = "message";
inline constexpr std::string_view kQueue = "queue";
inline constexpr std::string_view kTrace = "trace";
inline constexpr std::string_view kExpiry = "expiry";
inline constexpr std::string_view kCursor = "cursor";

}  // namespace mtrk::store

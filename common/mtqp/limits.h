#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

// These are all limits and timers of MTQP.
namespace mtrk::mtqp {

inline constexpr std::uint16_t kPort = 1038;  // RFC 3887 §2; not in /etc/services
inline constexpr std::size_t kMaxLine = 998;  // §2.2, §2.3: octets before CRLF
// A session ends after more octets than this without a line end (THR-W1).
inline constexpr std::size_t kMaxWithoutLf = 64 * 1024;
inline constexpr unsigned kMaxLongLines = 2;     // this many over-long lines end the session
inline constexpr unsigned kMaxBadCommands = 20;  // §2.5 allows a limit (THR-D9)
// While more is unsent, nothing is read (THR-D3).
inline constexpr std::size_t kMaxQueuedOutput = 64 * 1024;
inline constexpr std::chrono::seconds kIdle{600};        // §2.5: at least 10 minutes
inline constexpr std::chrono::seconds kStartedLine{60};  // for the rest of a line that has begun
inline constexpr std::chrono::seconds kHandshake{30};
inline constexpr std::chrono::seconds kWriteProgress{60};
inline constexpr std::chrono::seconds kClientResponse{120};  // §2.5: at least 2 minutes
inline constexpr std::size_t kMaxAnswer = 1024 * 1024;       // octets of one TRACK answer (THR-P8)
inline constexpr std::size_t kMaxHops = 20;

}  // namespace mtrk::mtqp

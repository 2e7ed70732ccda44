#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

// Every limit and timer of MTQP in one place.
namespace mtrk::mtqp {

inline constexpr std::uint16_t kPort = 1038;             // RFC 3887 §2; not in /etc/services
inline constexpr std::size_t kMaxLine = 998;             // §2.2, §2.3: octets before CRLF
inline constexpr std::size_t kMaxWithoutLf = 64 * 1024;  // then the session ends (THR-W1)
inline constexpr unsigned kMaxLongLines = 2;             // a repeated over-long line ends it
inline constexpr unsigned kMaxBadCommands = 20;          // §2.5 allows a limit (THR-D9)
inline constexpr std::size_t kMaxQueuedOutput =
    64 * 1024;                                           // no reading while more is unsent (THR-D3)
inline constexpr std::chrono::seconds kIdle{600};        // §2.5: at least 10 minutes
inline constexpr std::chrono::seconds kStartedLine{60};  // to finish a line once begun
inline constexpr std::chrono::seconds kHandshake{30};
inline constexpr std::chrono::seconds kWriteProgress{60};
inline constexpr std::chrono::seconds kClientResponse{120};  // §2.5: at least 2 minutes
inline constexpr std::size_t kMaxAnswer = 1024 * 1024;       // octets of one TRACK answer (THR-P8)
inline constexpr std::size_t kMaxHops = 20;

}  // namespace mtrk::mtqp

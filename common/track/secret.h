#pragma once

#include "common/base/expected.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace mtrk {

// The secret A of RFC 3885 §3.1: 1 to 128 octets (what we make has 32; what others send may be
// shorter, and the server must not refuse it: A-22). Held in place, so that a TRACK costs no
// allocation for it; wiped on destruction; no ==, no formatter, so that it cannot reach a log by
// accident.
class TrackingSecret {
 public:
  static constexpr std::size_t kMaxOctets = 128;
  static constexpr std::size_t kGeneratedOctets = 32;

  // The mtrk-secret of TRACK and of mtqp: URIs. Fails: not base64, nothing, more than 128 octets.
  [[nodiscard]] static Expected<TrackingSecret> parse_base64(std::string_view text);
  [[nodiscard]] static TrackingSecret generate();  // 32 octets from the system's generator

  TrackingSecret(TrackingSecret&&) noexcept;
  TrackingSecret& operator=(TrackingSecret&&) noexcept;
  TrackingSecret(const TrackingSecret&) = delete;
  TrackingSecret& operator=(const TrackingSecret&) = delete;
  ~TrackingSecret();

  [[nodiscard]] std::string_view octets() const { return {octets_.data(), size_}; }
  [[nodiscard]] std::string to_base64() const;  // padded; the caller wipes it

 private:
  explicit TrackingSecret(std::string_view octets);
  void take(TrackingSecret& other) noexcept;
  void wipe() noexcept;

  std::array<char, kMaxOctets> octets_;  // the first size_ of them
  std::uint8_t size_ = 0;
};

}  // namespace mtrk

#pragma once

#include "common/base/expected.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace mtrk {

// A TrackingSecret is the secret A of RFC 3885 §3.1, 1 to 128 octets. Those that we generate have
// 32; those of others may be shorter, and the server must not refuse them. The octets are
// stored in place, so that a TRACK allocates nothing for them, and are wiped on destruction. There
// is no == and no formatter, so that a secret cannot reach a log by accident.
class TrackingSecret {
 public:
  static constexpr std::size_t kMaxOctets = 128;
  static constexpr std::size_t kGeneratedOctets = 32;

  // Parses the mtrk-secret of TRACK and of mtqp: URIs. Fails if `text` is not base64 or encodes no
  // octet or more than 128.
  [[nodiscard]] static Expected<TrackingSecret> parse_base64(std::string_view text);
  // Returns 32 octets from the system's random number generator.
  [[nodiscard]] static TrackingSecret generate();

  TrackingSecret(TrackingSecret&&) noexcept;
  TrackingSecret& operator=(TrackingSecret&&) noexcept;
  TrackingSecret(const TrackingSecret&) = delete;
  TrackingSecret& operator=(const TrackingSecret&) = delete;
  ~TrackingSecret();

  [[nodiscard]] std::string_view octets() const { return {octets_.data(), size_}; }
  [[nodiscard]] std::string to_base64() const;  // with pad; the caller must wipe it

 private:
  explicit TrackingSecret(std::string_view octets);
  void take(TrackingSecret& other) noexcept;
  void wipe() noexcept;

  std::array<char, kMaxOctets> octets_;  // only the first size_ are used
  std::uint8_t size_ = 0;
};

}  // namespace mtrk

#pragma once

#include "common/net/asio.h"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

namespace mtrk::gate {

// Counts connections, in all and by source network: an IPv4 address, or the /64 of an IPv6 address.
// It holds entries for connected sources only. Not thread-safe.
class GateLimiter {
 public:
  // A Place is the permission to be connected, which its destructor gives back.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept
        : limiter_(std::exchange(other.limiter_, nullptr)), source_(other.source_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(limiter_, other.limiter_);
      std::swap(source_, other.source_);
      return *this;
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (limiter_ != nullptr) {
        limiter_->leave(source_);
      }
    }
    [[nodiscard]] explicit operator bool() const { return limiter_ != nullptr; }

   private:
    friend class GateLimiter;
    Place(GateLimiter* limiter, std::uint64_t source) : limiter_(limiter), source_(source) {}
    GateLimiter* limiter_ = nullptr;
    std::uint64_t source_ = 0;
  };

  // Returns an empty place if one of the limits is reached. `address` is not IPv4 mapped into IPv6.
  [[nodiscard]] Place enter(const net::asio::ip::address& address, unsigned total, unsigned each);

 private:
  void leave(std::uint64_t source) noexcept;

  std::unordered_map<std::uint64_t, unsigned> sources_;
  std::size_t connections_ = 0;
};

}  // namespace mtrk::gate

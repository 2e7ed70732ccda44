#pragma once

#include "common/config/network.h"
#include "common/net/asio.h"

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mtrk::mtqpd {

struct AddressLimits {
  unsigned connections = 10000;  // of all sources
  unsigned connections_per_source = 50;
  unsigned misses_per_minute = 0;  // of one source; 0 = no limit
  std::vector<Network> trusted;    // only the first limit is for them
};

// Who may connect and ask, by source network: an IPv4 address, or the /64 of an IPv6 address
// (THR-D5). Counts connections; remembers who misbehaved and who asked for much that is not there.
// Holds connected sources, which the limit bounds, and at most kRemembered others (THR-D12).
// Thread-safe.
//
// Penalties: each offence adds ten seconds to what a source has to pay; who owes more than a minute
// is turned away until he does not, and nobody owes more than ten minutes.
// Misses: at most misses_per_minute at once, and as many a minute after that. Over it every query
// of the source is refused, hit or miss, so that guessing tells nothing (THR-O3).
class AddressLimiter {
 public:
  using TimePoint = net::Clock::time_point;
  static constexpr std::size_t kRemembered = 65536;
  static constexpr std::chrono::seconds kOffence{10};
  static constexpr std::chrono::seconds kTolerated{60};
  static constexpr std::chrono::seconds kMostPenalty{600};

  enum class Refusal { none, full, source_full, penalty };

 private:
  struct Source {
    std::uint64_t network = 0;
    unsigned connections = 0;
    TimePoint penalty_until{};
    std::atomic<net::Clock::rep> misses_until{0};  // when the last miss is forgotten; 0 = none
    std::list<Source*>::iterator remembered;       // valid while connections is 0
  };

 public:
  // Handshakes cost memory and time: at most a tenth of all connections may be in one, though 64
  // always (THR-D8). Gives the place back.
  class Handshake {
   public:
    Handshake() = default;
    Handshake(Handshake&& other) noexcept : limiter_(std::exchange(other.limiter_, nullptr)) {}
    Handshake& operator=(Handshake&& other) noexcept {
      std::swap(limiter_, other.limiter_);
      return *this;
    }
    Handshake(const Handshake&) = delete;
    Handshake& operator=(const Handshake&) = delete;
    ~Handshake();
    [[nodiscard]] explicit operator bool() const { return limiter_ != nullptr; }

   private:
    friend class AddressLimiter;
    explicit Handshake(AddressLimiter* limiter) : limiter_(limiter) {}
    AddressLimiter* limiter_ = nullptr;
  };

  // What a connection holds; gives its place back.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept;
    Place& operator=(Place&& other) noexcept;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place();
    [[nodiscard]] explicit operator bool() const { return limiter_ != nullptr; }
    [[nodiscard]] Refusal refusal() const { return refusal_; }  // why there is none

    // A query without a result; then, before each query, whether there were too many.
    void miss(unsigned per_minute, TimePoint now);
    [[nodiscard]] bool may_ask(unsigned per_minute) const {
      return source_ == nullptr || source_->misses_until.load(std::memory_order_relaxed) == 0 ||
             may_ask_at(per_minute, net::Clock::now());
    }
    [[nodiscard]] bool may_ask_at(unsigned per_minute, TimePoint now) const;
    // Empty: there are too many already.
    [[nodiscard]] Handshake begin_handshake(const AddressLimits& limits);
    // The connection ended in a way that no good client's does.
    void offend(TimePoint now);

   private:
    friend class AddressLimiter;
    explicit Place(Refusal why) : refusal_(why) {}
    Place(AddressLimiter* limiter, Source* source) : limiter_(limiter), source_(source) {}
    AddressLimiter* limiter_ = nullptr;
    Source* source_ = nullptr;  // null: trusted
    Refusal refusal_ = Refusal::none;
  };

  // An empty place, which says why, if a limit is reached.
  [[nodiscard]] Place enter(const net::asio::ip::address& address,
                            const AddressLimits& limits,
                            TimePoint now);

  [[nodiscard]] std::size_t connections() const {
    return connections_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t sources() const;  // connected and remembered

 private:
  void leave(Source* source) noexcept;
  void punish(Source& source, TimePoint now);
  void forget(Source& source);

  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, Source> sources_;
  std::list<Source*> remembered_;  // without connections, the longest gone first
  std::atomic<std::size_t> connections_{0};
  std::atomic<std::size_t> handshakes_{0};
};

}  // namespace mtrk::mtqpd

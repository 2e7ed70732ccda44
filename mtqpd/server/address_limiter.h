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
  unsigned connections = 10000;  // of all sources together
  unsigned connections_per_source = 50;
  unsigned misses_per_minute = 0;  // of one source; 0 means no limit
  std::vector<Network> trusted;    // only `connections` limits these
};

// Decides who may connect and ask, by source network: an IPv4 address, or the /64 of an IPv6
// address (THR-D5). It counts connections, and remembers which sources misbehaved and which asked
// for much that does not exist. It holds an entry for each connected source, which `connections`
// bounds, and for at most kRemembered others (THR-D12). Thread-safe.
//
// Penalties: each offence adds ten seconds to the debt of a source, up to ten minutes. A source
// that owes more than a minute is turned away until it owes less.
//
// Misses: a source may have misses_per_minute of them at once, and as many in each minute after
// that. Above this rate every query of the source is refused, whether it would hit or miss, so that
// guessing reveals nothing (THR-O3).
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
    // The last miss is forgotten at this time; 0 if there is none.
    std::atomic<net::Clock::rep> misses_until{0};
    std::list<Source*>::iterator remembered;  // valid only while connections is 0
  };

 public:
  // A Handshake is the permission to run a TLS handshake, which its destructor gives back.
  // Handshakes cost memory and time, so at most a tenth of the allowed connections, but never fewer
  // than 64, may run one at the same time (THR-D8).
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

  // A Place is the permission to be connected, which its destructor gives back. A place that is
  // false was refused.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept;
    Place& operator=(Place&& other) noexcept;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place();
    [[nodiscard]] explicit operator bool() const { return limiter_ != nullptr; }
    [[nodiscard]] Refusal refusal() const { return refusal_; }  // why the place was refused

    // miss() records a query without a result. may_ask() returns false if the source has had too
    // many of them; it is called before each query.
    void miss(unsigned per_minute, TimePoint now);
    [[nodiscard]] bool may_ask(unsigned per_minute) const {
      return source_ == nullptr || source_->misses_until.load(std::memory_order_relaxed) == 0 ||
             may_ask_at(per_minute, net::Clock::now());
    }
    [[nodiscard]] bool may_ask_at(unsigned per_minute, TimePoint now) const;
    // Returns an empty handshake if too many are running already.
    [[nodiscard]] Handshake begin_handshake(const AddressLimits& limits);
    // Records that the connection ended in a way in which no well-behaved client ends one.
    void offend(TimePoint now);

   private:
    friend class AddressLimiter;
    explicit Place(Refusal why) : refusal_(why) {}
    Place(AddressLimiter* limiter, Source* source) : limiter_(limiter), source_(source) {}
    AddressLimiter* limiter_ = nullptr;
    Source* source_ = nullptr;  // null if trusted
    Refusal refusal_ = Refusal::none;
  };

  // Returns an empty place, which names the reason, if a limit is reached.
  [[nodiscard]] Place enter(const net::asio::ip::address& address,
                            const AddressLimits& limits,
                            TimePoint now);

  [[nodiscard]] std::size_t connections() const {
    return connections_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t sources() const;  // connected and remembered ones

 private:
  void leave(Source* source) noexcept;
  void punish(Source& source, TimePoint now);
  void forget(Source& source);

  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, Source> sources_;
  std::list<Source*> remembered_;  // those without connections, the longest gone first
  std::atomic<std::size_t> connections_{0};
  std::atomic<std::size_t> handshakes_{0};
};

}  // namespace mtrk::mtqpd

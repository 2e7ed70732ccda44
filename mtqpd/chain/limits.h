#pragma once

#include "common/base/bytes.h"
#include "common/net/asio.h"
#include "common/track/tracked_message.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mtrk::mtqpd {

// ChainLimits keeps chaining from being used as a weapon. It knows about which messages other
// servers are being asked at the moment, for which clients, and what they answered lately.
// Thread-safe; a server has one.
//
// A message about which servers are being asked is not asked about again, so that a query which
// comes back in a circle is answered at once from what is known here (THR-X4, A-30).
class ChainLimits {
 public:
  static constexpr std::size_t kQueries = 64;       // at the same time (THR-X5)
  static constexpr unsigned kQueriesPerSource = 2;  // of one address; of one /64 with IPv6
  // An answer is used again for this long.
  static constexpr std::chrono::seconds kKept{30};
  static constexpr std::size_t kMostAnswers = 256;      // kept at the same time
  static constexpr std::size_t kMostRecipients = 4096;  // in all of them

  // A Turn is the permission to ask other servers about one message, which its destructor gives
  // back.
  class Turn {
   public:
    Turn() = default;
    Turn(Turn&& other) noexcept
        : limits_(std::exchange(other.limits_, nullptr)),
          message_(other.message_),
          source_(other.source_) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Turn& operator=(Turn&&) = delete;
    ~Turn();
    [[nodiscard]] explicit operator bool() const { return limits_ != nullptr; }

   private:
    friend class ChainLimits;
    Turn(ChainLimits& limits, const Digest32& message, std::optional<std::uint64_t> source)
        : limits_(&limits), message_(message), source_(source) {}
    ChainLimits* limits_ = nullptr;
    Digest32 message_{};
    std::optional<std::uint64_t> source_;
  };
  // Returns an empty turn if the message is being asked about already, or if there are too many
  // queries. `source` is the client's network; nothing for a trusted client, to which only kQueries
  // applies.
  [[nodiscard]] Turn begin(const Digest32& message, std::optional<std::uint64_t> source);

  // find() returns, and keep() stores, the accepted parts of what other servers answered about a
  // message. No parts are an answer, too; find() returns null if there is none. `level` is the TLS
  // version of the client, so that no client gets what was fetched with less protection.
  using Parts = std::shared_ptr<const std::vector<TrackedMessage>>;
  [[nodiscard]] Parts find(const Digest32& message,
                           const std::string& level,
                           net::Clock::time_point now);
  void keep(const Digest32& message, std::string level, Parts parts, net::Clock::time_point now);

 private:
  struct Kept {
    Digest32 message;
    std::string level;
    Parts parts;
    std::size_t recipients;
    net::Clock::time_point until;
  };
  void drop_oldest();
  void drop_old(net::Clock::time_point now);

  std::mutex mutex_;
  std::set<Digest32> messages_;                // those that servers are being asked about
  std::map<std::uint64_t, unsigned> sources_;  // those with queries; kQueries bounds their number
  std::deque<Kept> kept_;                      // the oldest first
  std::size_t recipients_ = 0;                 // in `kept_`
};

}  // namespace mtrk::mtqpd

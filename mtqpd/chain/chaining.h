#pragma once

#include "common/mtqp/server_session.h"
#include "common/net/dns.h"
#include "common/track/confidentiality.h"
#include "common/track/message_key.h"
#include "mtqpd/chain/guard.h"
#include "mtqpd/chain/limits.h"
#include "mtqpd/chain/plan.h"

#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// Chaining (RFC 3887 §2.4) asks the servers to which a message was transferred, instead of leaving
// that to the client. If anything goes wrong, the answer is the referral that the client would have
// had without it.
namespace mtrk::mtqpd {

struct ChainingOptions {
  ChainRules rules;
  Confidentiality confidentiality;
  enum class Hops { all, final } hops = Hops::all;
  std::vector<Network> networks;  // see ChainPlaces
  std::uint16_t port = 1038;
  net::DnsOptions dns;
  std::shared_ptr<boost::asio::ssl::context> tls;  // verifies certificates; never null
  // RFC 3887 allows two minutes in all; the client must have its answer before that.
  std::chrono::milliseconds budget{110'000};
  std::chrono::milliseconds connect{10'000};   // to one server, without the DNS look-up
  std::chrono::milliseconds greeting{15'000};  // for each reply before TRACK
};

// A ChainClient is the client on whose behalf other servers are asked. Its query is passed on with
// no less protection than it came with.
struct ChainClient {
  net::asio::ip::address address;
  bool trusted = false;        // true if its address has no limit
  net::Tcp::endpoint reached;  // our end of its connection
  std::string tls_version;     // "TLSv1.3"; empty without TLS
};

// A ChainJob is one query about which other servers may know more.
struct ChainJob {
  EnvelopeId envelope_id;  // as the store has it
  TrackingSecret secret;
  std::vector<TrackedMessage> own;   // what the store has, with nothing left out
  std::vector<std::string> servers;  // at least one
  ChainClient client;
  // Holds the answer without chaining at first, and the one to give in the end.
  std::string report;

  struct Step {
    std::string server;
    std::string result;  // for the log: "answered", or why there is no answer
  };
  std::vector<Step> steps;
  // Says how many body parts were added, or of how many recipients the outcome was adopted.
  std::size_t parts = 0;
};

// The process has one Chaining, which its threads share; a reload makes a new one. Thread-safe.
class Chaining {
 public:
  explicit Chaining(ChainingOptions options);

  [[nodiscard]] const ChainingOptions& options() const { return options_; }

  // Asks one server after the other, within options().budget, and completes `job`. If it is
  // cancelled (terminal cancellation), it throws operation_aborted and leaves job->report as it
  // was.
  [[nodiscard]] static net::Awaitable<void> run(std::shared_ptr<Chaining> self,
                                                std::shared_ptr<ChainJob> job);

 private:
  using Parts = std::vector<TrackedMessage>;
  [[nodiscard]] net::Awaitable<void> run(ChainJob& job);
  [[nodiscard]] net::Awaitable<Parts> ask_all(ChainJob& job);
  [[nodiscard]] net::Awaitable<Parts> ask(ChainJob& job,
                                          const std::string& server,
                                          net::Resolver& resolver,
                                          net::Clock::time_point end);
  void complete(ChainJob& job, const Parts& parts) const;

  ChainingOptions options_;
  StoreSalt salt_{};  // for the keys in `limits_`
  ChainLimits limits_;
};

}  // namespace mtrk::mtqpd

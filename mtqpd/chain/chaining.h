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

// Chaining (RFC 3887 §2.4): asks the servers a message was transferred to, instead of leaving that
// to the client. Whatever goes wrong, the answer is the referral that it was without.
namespace mtrk::mtqpd {

struct ChainingOptions {
  ChainRules rules;
  Confidentiality confidentiality;
  enum class Hops { all, final } hops = Hops::all;
  std::vector<Network> networks;  // see ChainPlaces
  std::uint16_t port = 1038;
  net::DnsOptions dns;
  std::shared_ptr<boost::asio::ssl::context> tls;  // verifies; never null
  // RFC 3887 allows two minutes in all; the client shall have something before.
  std::chrono::milliseconds budget{110'000};
  std::chrono::milliseconds connect{10'000};   // to one server, DNS aside
  std::chrono::milliseconds greeting{15'000};  // for each reply before TRACK
};

// Who asks: what is passed on is protected no worse than what came in.
struct ChainClient {
  net::asio::ip::address address;
  bool trusted = false;        // no limit for its address
  net::Tcp::endpoint reached;  // our end of its connection
  std::string tls_version;     // "TLSv1.3"; empty without TLS
};

// One query for which other servers may know more.
struct ChainJob {
  EnvelopeId envelope_id;  // as the store has it
  TrackingSecret secret;
  std::vector<TrackedMessage> own;   // nothing left out
  std::vector<std::string> servers;  // at least one
  ChainClient client;
  std::string report;  // in: the answer without chaining; out: the one to give

  struct Step {
    std::string server;
    std::string result;  // for the log: "answered", or why not
  };
  std::vector<Step> steps;
  std::size_t parts = 0;  // what came of it: parts added, or recipients whose outcome was adopted
};

// One for the process, shared by its threads; a reload makes a new one.
class Chaining {
 public:
  explicit Chaining(ChainingOptions options);

  [[nodiscard]] const ChainingOptions& options() const { return options_; }

  // Asks one server after the other, in at most options().budget, and completes `job`. May be
  // cancelled (terminal): then it throws operation_aborted, and job->report is as it was.
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
  StoreSalt salt_{};  // of the keys in `limits_`
  ChainLimits limits_;
};

}  // namespace mtrk::mtqpd

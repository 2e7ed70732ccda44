#pragma once

#include "common/mtqp/limits.h"
#include "common/track/tracking_status.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// Decides which servers are asked about one message, and what their answers add up to. Pure: a
// function does the asking, so that referrals, loops and exit codes are tested without a network.
namespace mtrk::cli {

struct Server {
  std::string host;                   // a name, or an address without brackets
  std::optional<std::uint16_t> port;  // absent: mtqp::kPort
};
[[nodiscard]] std::string to_string(const Server& server);  // "mx.example:1038"

// Says why a server gave no answer. The values are exit codes of mtqp(1).
enum class Trouble { no_information = 3, network = 4, tls = 5, protocol = 6 };
[[nodiscard]] std::string_view to_string(Trouble trouble);  // "no information", "network" …
struct HopFailure {
  Trouble trouble;
  std::string detail;
};
struct HopAnswer {
  bool tls = false;
  std::string body;  // as received
  std::vector<TrackingStatus> parts;
  // The server was found at this address and port; empty if they are not known.
  std::string address = {};
};
using HopResult = std::variant<HopAnswer, HopFailure>;

struct Hop {
  Server server;
  std::optional<std::size_t> parent;  // index of the hop that referred to this one
  HopResult result;

  [[nodiscard]] const HopAnswer* answer() const { return std::get_if<HopAnswer>(&result); }
  [[nodiscard]] const HopFailure* failure() const { return std::get_if<HopFailure>(&result); }
};

struct FollowPolicy {
  bool follow = true;
  std::size_t max_hops = mtqp::kMaxHops;
  std::optional<std::uint16_t> port;      // of the servers that answers name
};
struct Travel {
  std::vector<Hop> hops;  // in the order asked; never empty
  // A server referred to one through which it was reached, be it by chaining.
  bool loop = false;
  bool hop_limit = false;
};

// Asks `first`, and then every server that a `transferred` names, each once. A server is not asked
// if the answer that names it holds that server's own part already (MTSN-3.3.3-12).
[[nodiscard]] Travel travel(const Server& first,
                            const FollowPolicy& policy,
                            const std::function<HopResult(const Server&)>& ask);

// Returns the server to which a recipient's `transferred` refers; nothing for other actions and for
// names that are no host.
[[nodiscard]] std::optional<std::string> referral_of(const ReportedRecipient& recipient);

// A Stage is one recipient as one server reported it.
struct Stage {
  std::size_t hop;
  const TrackingStatus* part;
  const ReportedRecipient* recipient;
};
using Journey = std::vector<Stage>;  // never empty; the last stage says how things stand
// Follows every recipient from server to server: each recipient of each answer is in at least one
// journey. The journeys point into `travel`.
[[nodiscard]] std::vector<Journey> journeys_of(const Travel& travel);

// Beyond says what comes after the last stage of a journey.
enum class Beyond {
  nothing,    // it ends there: delivered, failed, or still waiting
  untracked,  // it went on to a system that does not track, or to members that are not shown
  no_answer,  // it went on to a server that should know, but gave no answer
  unknown,
};
[[nodiscard]] Beyond beyond(const Journey& journey);
[[nodiscard]] std::string_view to_string(Beyond beyond);  // "nothing", "untracked", "no answer" …

// Returns the address that a recipient is shown by: the original one if it is known.
[[nodiscard]] const TypedAddress& address_of(const ReportedRecipient& recipient);

// Returns the exit code of mtqp track, from the table in mtqp(1).
inline constexpr int kExitUnderWay = 1;
[[nodiscard]] int exit_code_of(const Travel& travel);

}  // namespace mtrk::cli

#include "mtqpd/mtqp/answer/hops.h"

#include "common/base/ascii.h"
#include "common/mtqp/referral.h"
#include "common/mtqp/uri.h"

#include <algorithm>
#include <deque>
#include <set>
#include <unordered_map>

namespace mtrk::cli {
namespace {

constexpr int kExitSomeFailed = 2;
constexpr int kExitLoop = 7;

// Limits the referrals and chained parts of one recipient's way, however long a hostile answer
// makes it.
constexpr std::size_t kMaxStages = 2 * mtqp::kMaxHops;

bool same_server(const Server& a, const Server& b) {
  return a.port.value_or(mtqp::kPort) == b.port.value_or(mtqp::kPort) && iequals(a.host, b.host);
}

std::optional<std::size_t> find_hop(const std::vector<Hop>& hops, const Server& server) {
  const auto found = std::find_if(hops.begin(), hops.end(),
                                  [&](const Hop& hop) { return same_server(hop.server, server); });
  return found == hops.end() ? std::nullopt : std::optional(std::size_t(found - hops.begin()));
}

bool is_ancestor(const std::vector<Hop>& hops, std::size_t candidate, std::size_t of) {
  for (std::optional<std::size_t> at = of; at; at = hops[*at].parent) {
    if (*at == candidate) {
      return true;
    }
  }
  return false;
}

// Returns the servers to which one answer refers, each once, in order.
std::vector<std::string> referrals_of(const HopAnswer& answer) {
  std::set<std::string> known;
  for (const TrackingStatus& part : answer.parts) {
    known.insert(to_lower(part.reporting_mta.name));  // chained: its part is in this answer already
  }
  std::vector<std::string> hosts;
  for (const TrackingStatus& part : answer.parts) {
    for (const ReportedRecipient& recipient : part.recipients) {
      std::optional<std::string> host = referral_of(recipient);
      if (host && known.insert(to_lower(*host)).second) {
        hosts.push_back(std::move(*host));
      }
    }
  }
  return hosts;
}

// The original recipient travels unchanged (MTRK-3.3-05). If a server has lost it, what the server
// before calls the final recipient is compared.
std::string address_key(const TypedAddress& address) {
  return to_lower(address.type) + ';' + recipient_key(address.value);
}

class Journeys {
 public:
  explicit Journeys(const Travel& travel) : travel_(travel) {
    for (std::size_t hop = 0; hop < travel.hops.size(); ++hop) {
      if (const HopAnswer* answer = travel.hops[hop].answer()) {
        for (const TrackingStatus& part : answer->parts) {
          for (const ReportedRecipient& recipient : part.recipients) {
            stages_.push_back({hop, &part, &recipient});
          }
        }
      }
    }
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      index(i);
    }
    for (const Stage& stage : stages_) {
      next_.push_back(find_next(stage));
    }
  }

  struct Found {
    std::vector<Journey> journeys;
    bool circle = false;  // one of them returns to an earlier stage
  };
  [[nodiscard]] Found all() const {
    std::vector<bool> reached(stages_.size());
    // Holds the number, from 1, of the journey that a stage was last in.
    std::vector<std::size_t> shown(stages_.size());
    for (const auto& next : next_) {
      if (next) {
        reached[*next] = true;
      }
    }
    Found found;
    // First come the ways that have a beginning, then stages that are reached only in a circle.
    for (const bool want_reached : {false, true}) {
      for (std::size_t i = 0; i < stages_.size(); ++i) {
        if (reached[i] == want_reached && shown[i] == 0) {
          walk(i, shown, found);
        }
      }
    }
    return found;
  }

 private:
  void walk(std::size_t from, std::vector<std::size_t>& shown, Found& found) const {
    Journey& journey = found.journeys.emplace_back();
    const std::size_t number = found.journeys.size();
    std::optional<std::size_t> at = from;
    while (at && journey.size() < kMaxStages) {
      if (shown[*at] == number) {
        found.circle = true;
        return;
      }
      shown[*at] = number;
      journey.push_back(stages_[*at]);
      at = next_[*at];
    }
  }

  static std::string chained_key(std::size_t hop,
                                 std::string_view mta,
                                 const TypedAddress& address) {
    return std::to_string(hop) + ' ' + to_lower(mta) + ' ' + address_key(address);
  }
  static std::string asked_key(std::string_view host, const TypedAddress& address) {
    return to_lower(host) + ' ' + address_key(address);
  }

  void index(std::size_t i) {
    const Stage& stage = stages_[i];
    const std::string& mta = stage.part->reporting_mta.name;
    const std::string& host = travel_.hops[stage.hop].server.host;
    for (const TypedAddress* address : {&stage.recipient->original, &stage.recipient->final}) {
      if (!address->type.empty()) {
        index_.try_emplace(chained_key(stage.hop, mta, *address), i);
        index_.try_emplace(asked_key(host, *address), i);
      }
    }
  }

  // Returns the stage at the MTA to which `stage` went on: in the same answer if that MTA was
  // chained (a firewall may call this relayed, RFC 3887 §4.1), else in the answer of the server
  // that was asked for it.
  [[nodiscard]] std::optional<std::size_t> find_next(const Stage& stage) const {
    const ReportedRecipient& recipient = *stage.recipient;
    const bool relayed = recipient.action == Action::relayed && recipient.remote_mta;
    const std::optional<std::string> host =
        relayed ? mtqp::host_of_mta(*recipient.remote_mta) : referral_of(recipient);
    if (!host) {
      return std::nullopt;
    }
    for (const TypedAddress* address : {&recipient.original, &recipient.final}) {
      if (address->type.empty()) {
        continue;
      }
      if (auto next = other_part(stage, chained_key(stage.hop, *host, *address))) {
        return next;
      }
      if (relayed) {
        continue;
      }
      if (auto next = other_part(stage, asked_key(*host, *address))) {
        return next;
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::size_t> other_part(const Stage& stage,
                                                      const std::string& key) const {
    const auto found = index_.find(key);
    return found != index_.end() && stages_[found->second].part != stage.part
               ? std::optional(found->second)
               : std::nullopt;
  }

  const Travel& travel_;
  std::vector<Stage> stages_;
  std::vector<std::optional<std::size_t>> next_;
  // Finds the first stage of an MTA and an address.
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace

std::string to_string(const Server& server) {
  return mtqp::format_host_port(server.host, server.port.value_or(mtqp::kPort));
}

std::optional<std::string> referral_of(const ReportedRecipient& recipient) {
  if (recipient.action != Action::transferred || !recipient.remote_mta) {
    return std::nullopt;
  }
  return mtqp::host_of_mta(*recipient.remote_mta);
}

Travel travel(const Server& first,
              const FollowPolicy& policy,
              const std::function<HopResult(const Server&)>& ask) {
  struct Task {
    Server server;
    std::optional<std::size_t> parent;
  };
  Travel travel;
  std::deque<Task> tasks{{first, std::nullopt}};
  while (!tasks.empty()) {
    Task task = std::move(tasks.front());
    tasks.pop_front();
    if (const auto known = find_hop(travel.hops, task.server)) {
      travel.loop |= task.parent && is_ancestor(travel.hops, *known, *task.parent);
      continue;
    }
    if (travel.hops.size() >= policy.max_hops) {
      travel.hop_limit = true;
      continue;
    }
    HopResult result = ask(task.server);
    travel.hops.push_back({std::move(task.server), task.parent, std::move(result)});
    const HopAnswer* answer = travel.hops.back().answer();
    if (answer == nullptr || !policy.follow) {
      continue;
    }
    for (std::string& host : referrals_of(*answer)) {
      tasks.push_back({{std::move(host), policy.port}, travel.hops.size() - 1});
    }
  }
  travel.loop |= Journeys(travel).all().circle;
  return travel;
}

std::vector<Journey> journeys_of(const Travel& travel) {
  return Journeys(travel).all().journeys;
}

std::string_view to_string(Trouble trouble) {
  switch (trouble) {
    case Trouble::no_information:
      return "no information";
    case Trouble::network:
      return "network";
    case Trouble::tls:
      return "tls";
    case Trouble::protocol:
      break;
  }
  return "protocol";
}

Beyond beyond(const Journey& journey) {
  switch (journey.back().recipient->action) {
    case Action::delivered:
    case Action::failed:
    case Action::delayed:
      return Beyond::nothing;
    case Action::relayed:
    case Action::expanded:
      return Beyond::untracked;
    case Action::transferred:
      return Beyond::no_answer;
    case Action::opaque:
      break;
  }
  return Beyond::unknown;
}

std::string_view to_string(Beyond beyond) {
  switch (beyond) {
    case Beyond::nothing:
      return "nothing";
    case Beyond::untracked:
      return "untracked";
    case Beyond::no_answer:
      return "no answer";
    case Beyond::unknown:
      break;
  }
  return "unknown";
}

const TypedAddress& address_of(const ReportedRecipient& recipient) {
  return recipient.original.type.empty() ? recipient.final : recipient.original;
}

int exit_code_of(const Travel& travel) {
  if (const HopFailure* failure = travel.hops.front().failure()) {
    return static_cast<int>(failure->trouble);
  }
  if (travel.loop || travel.hop_limit) {
    return kExitLoop;
  }
  bool failed = false;
  bool under_way = false;
  bool known = false;
  for (const Journey& journey : journeys_of(travel)) {
    const Action action = journey.back().recipient->action;
    failed |= action == Action::failed;
    under_way |= action == Action::delayed;
    known |= action != Action::opaque;
  }
  if (failed) {
    return kExitSomeFailed;
  }
  if (under_way) {
    return kExitUnderWay;
  }
  return known ? 0 : static_cast<int>(Trouble::no_information);
}

}  // namespace mtrk::cli

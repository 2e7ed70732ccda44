#pragma once

#include "milter/gate/session/proxy_session.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

// Finds the rule for mail to a domain: where it goes, and how TLS is used there. Pure; the look-up
// of MX records is in milter/gate/next_hops.h.
namespace mtrk::smtp {

struct GateRoute {
  std::string host;        // empty: the MX of the domain
  std::uint16_t port = 0;  // of `host`
  TlsUse tls = TlsUse::opportunistic;

  bool operator==(const GateRoute&) const = default;
};

class GateRoutes {
 public:
  explicit GateRoutes(GateRoute others = {}) : others_(std::move(others)) {}

  // Adds a rule. `domain` may be in any case; ".example.net" means the domains below example.net.
  // If a domain gets several rules, the first one counts.
  void add(std::string_view domain, GateRoute route);
  [[nodiscard]] bool empty() const { return rules_.empty(); }

  // Returns the domain's own rule, else the rule for the nearest domain above it with a leading
  // dot, else the one for all others. Linear in the length of `domain`, which may be anything.
  [[nodiscard]] const GateRoute& find(std::string_view domain) const;

  // Returns what distinguishes next hops: recipients with the same key can share a transaction.
  [[nodiscard]] std::string key(std::string_view domain) const;

 private:
  std::map<std::string, GateRoute, std::less<>> rules_;  // by domain, in lower case
  GateRoute others_;
};

// Returns the domain of a path as RCPT has it, without its brackets: what follows the last "@",
// without a final dot; "[192.0.2.1]" as it is. Empty if there is none.
[[nodiscard]] std::string_view domain_of(std::string_view path);

}  // namespace mtrk::smtp

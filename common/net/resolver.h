#pragma once

#include "common/net/dns.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// A Resolver turns the name of a server into the endpoints to connect to, in the order to try them.
namespace mtrk::net {

using Endpoints = std::vector<Tcp::endpoint>;

// A Place is one host to connect to: an SRV target, or the host itself.
struct Place {
  std::string host;
  Endpoints endpoints;
};
using Places = std::vector<Place>;

class Resolver {
 public:
  Resolver() = default;
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  virtual ~Resolver() = default;

  // Resolves `host`, which is a name or an address without brackets. With `port` the result is its
  // addresses at that port. Without it, the result is the endpoints of its MTQP service: as RFC
  // 3887 §2 requires, SRV records of `_mtqp._tcp` come first and, if there are none, address
  // records with port 1038; MX records are never used. Fails with a sentence for people.
  [[nodiscard]] virtual Awaitable<tl::expected<Endpoints, std::string>> resolve(
      std::string host, std::optional<std::uint16_t> port) = 0;

  // Does the same, but keeps the addresses of each SRV target apart: the next target is used only
  // if the one before cannot be reached (RFC 2782), while the addresses of one target may race (RFC
  // 8305).
  [[nodiscard]] virtual Awaitable<tl::expected<Places, std::string>> resolve_targets(
      std::string host, std::optional<std::uint16_t> port);
};

// A Discovery holds the steps of a look-up, which `mtqp resolve` shows.
struct Target {
  std::string host;
  std::uint16_t port = 0;
  std::optional<SrvRecord> srv;  // nothing: address records of the host itself were used
  std::vector<asio::ip::address> addresses;
  std::string trouble;  // the reason if there are no addresses
};
struct Discovery {
  bool srv = false;             // SRV records were used
  std::vector<Target> targets;  // in the order to try them; never empty
};

// A DnsResolver uses the DNS (common/net/dns.h). Names in `fixed` (in lower case) are not looked up
// but taken from it; a port there replaces the default one. At most kMaxTargets SRV targets are
// looked up.
class DnsResolver final : public Resolver {
 public:
  static constexpr std::size_t kMaxTargets = 8;

  struct Fixed {
    asio::ip::address address;
    std::optional<std::uint16_t> port;
  };
  using FixedNames = std::map<std::string, Fixed>;

  explicit DnsResolver(FixedNames fixed = {}, DnsOptions dns = {});
  DnsResolver(FixedNames fixed, DnsOptions dns, RandomNumber random);  // for tests

  [[nodiscard]] Awaitable<tl::expected<Discovery, std::string>> discover(
      std::string host, std::optional<std::uint16_t> port);

  [[nodiscard]] Awaitable<tl::expected<Endpoints, std::string>> resolve(
      std::string host, std::optional<std::uint16_t> port) override;
  [[nodiscard]] Awaitable<tl::expected<Places, std::string>> resolve_targets(
      std::string host, std::optional<std::uint16_t> port) override;

 private:
  [[nodiscard]] std::optional<Target> without_dns(const std::string& host,
                                                  std::optional<std::uint16_t> port) const;
  [[nodiscard]] Awaitable<tl::expected<std::vector<SrvRecord>, std::string>> service_of(
      const std::string& host) const;

  FixedNames fixed_;
  DnsClient dns_;
  RandomNumber random_;
};

// This name is for callers that always pass the port: they get addresses only, without SRV.
using AddressResolver = DnsResolver;

}  // namespace mtrk::net

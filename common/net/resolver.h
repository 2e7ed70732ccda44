#pragma once

#include "common/net/asio.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// From the name of a server to the places to connect to, in the order to try them.
namespace mtrk::net {

using Endpoints = std::vector<Tcp::endpoint>;

class Resolver {
 public:
  Resolver() = default;
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  virtual ~Resolver() = default;

  // `host` is a name or an address without brackets. With `port` its addresses at that port;
  // without it those of the MTQP service: RFC 3887 §2 wants SRV `_mtqp._tcp` first and, where there
  // is none, address records and port 1038; never MX. Fails: a sentence for people.
  [[nodiscard]] virtual Awaitable<tl::expected<Endpoints, std::string>> resolve(
      std::string host, std::optional<std::uint16_t> port) = 0;
};

// Address records by the system's resolver (MTQP-2-05); names in `fixed` (lower case) are not
// looked up but taken from it, a port there replaces the default one.
class AddressResolver final : public Resolver {
 public:
  struct Fixed {
    asio::ip::address address;
    std::optional<std::uint16_t> port;
  };
  using FixedNames = std::map<std::string, Fixed>;

  explicit AddressResolver(FixedNames fixed = {}) : fixed_(std::move(fixed)) {}

  [[nodiscard]] Awaitable<tl::expected<Endpoints, std::string>> resolve(
      std::string host, std::optional<std::uint16_t> port) override;

 private:
  FixedNames fixed_;
};

}  // namespace mtrk::net

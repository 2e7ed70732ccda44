#include "common/net/resolver.h"

#include "common/base/ascii.h"
#include "common/mtqp/limits.h"

#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/this_coro.hpp>

#include <utility>

namespace mtrk::net {

Awaitable<tl::expected<Endpoints, std::string>> AddressResolver::resolve(
    std::string host, std::optional<std::uint16_t> port) {
  Endpoints endpoints;
  if (const auto fixed = fixed_.find(to_lower(host)); fixed != fixed_.end()) {
    endpoints.emplace_back(fixed->second.address,
                           fixed->second.port.value_or(port.value_or(mtqp::kPort)));
    co_return endpoints;
  }
  const std::uint16_t number = port.value_or(mtqp::kPort);
  error_code no_address;
  const asio::ip::address literal = asio::ip::make_address(host, no_address);
  if (!no_address) {
    endpoints.emplace_back(literal, number);
    co_return endpoints;
  }
  asio::ip::basic_resolver<Tcp, Executor> resolver(co_await asio::this_coro::executor);
  const auto [error, results] = co_await resolver.async_resolve(
      host, std::to_string(number), asio::ip::resolver_base::numeric_service, kAwait);
  if (error) {
    co_return tl::make_unexpected("cannot find the address of " + escape_for_people(host, 253) +
                                  ": " + error.message());
  }
  for (const auto& result : results) {
    endpoints.push_back(result.endpoint());
  }
  co_return endpoints;
}

}  // namespace mtrk::net

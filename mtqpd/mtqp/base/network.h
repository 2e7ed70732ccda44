#pragma once

#include "common/net/mtqp_client.h"
#include "common/net/resolver.h"
#include "mtqpd/mtqp/answer/hops.h"
#include "mtqpd/mtqp/base/options.h"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Here is what the commands that talk to servers have in common. A command does one thing after the
// other, so each coroutine is run to its end on an io_context of its own.
namespace mtrk::cli {

// Parses "HOST=ADDRESS[:PORT]", the argument of --resolve.
[[nodiscard]] Expected<net::DnsResolver::FixedNames> parse_fixed_names(
    const std::vector<std::string>& texts);

// Returns an error if --resolve or --dns is malformed.
[[nodiscard]] Expected<std::unique_ptr<net::DnsResolver>> make_resolver(
    const LookUpOptions& options);

template <typename T>
[[nodiscard]] T run_to_end(net::Awaitable<T> work) {
  net::asio::io_context io(1);
  std::optional<T> result;
  net::asio::co_spawn(io, std::move(work), [&](std::exception_ptr error, T value) {
    if (error) {
      std::rethrow_exception(error);
    }
    result = std::move(value);
  });
  io.run();
  return std::move(*result);
}

[[nodiscard]] Trouble to_trouble(net::MtqpFailure::Kind kind);

}  // namespace mtrk::cli

#include "common/net/mtqp_client.h"

#include "common/base/ascii.h"
#include "common/base/wipe.h"

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace mtrk::net {
namespace {

using Direction = MtqpClientOptions::Direction;
using Outcome = tl::expected<MtqpAnswer, MtqpFailure>;

MtqpFailure to_failure(NetFailure failure) {
  const bool tls = failure.kind == NetFailure::Kind::tls;
  return {tls ? MtqpFailure::Kind::tls : MtqpFailure::Kind::network, std::move(failure.detail)};
}

MtqpFailure to_failure(mtqp::SessionFailure failure) {
  switch (failure.kind) {
    case mtqp::SessionFailure::Kind::no_tls:
      return {MtqpFailure::Kind::tls, std::move(failure.detail)};
    case mtqp::SessionFailure::Kind::unavailable:
      return {MtqpFailure::Kind::network, std::move(failure.detail)};
    default:
      return {MtqpFailure::Kind::protocol, std::move(failure.detail)};
  }
}

// One run of the session over one connection.
class Run {
 public:
  Run(ClientConnection& connection, const MtqpClientOptions& options, mtqp::ClientPolicy policy)
      : connection_(connection), options_(options), session_(std::move(policy)) {}

  Awaitable<Outcome> run(const EnvelopeId& envelope_id, const TrackingSecret& secret) {
    connection_.expire_after(options_.response);  // for the greeting
    while (true) {
      mtqp::ClientNext next = session_.advance(out_);
      if (auto* answer = std::get_if<mtqp::client::Answer>(&next)) {
        session_.quit(out_);
        static_cast<void>(co_await flush());  // the peer may be gone already (MTQP-7-03)
        co_return MtqpAnswer{std::move(answer->reply), session_.tls_active()};
      }
      if (std::holds_alternative<mtqp::client::Ready>(next)) {
        if (!session_.tls_active()) {
          trace(Direction::in_clear, "");
        }
        session_.track(envelope_id, secret, out_);
      }
      if (std::optional<NetFailure> failure = co_await flush();
          failure && !std::holds_alternative<mtqp::SessionFailure>(next)) {
        co_return tl::make_unexpected(to_failure(std::move(*failure)));
      }
      if (auto* failure = std::get_if<mtqp::SessionFailure>(&next)) {
        co_return tl::make_unexpected(to_failure(std::move(*failure)));
      }
      std::optional<MtqpFailure> failure;
      if (auto* tls = std::get_if<mtqp::client::BeginTls>(&next)) {
        failure = co_await begin_tls(std::move(tls->domain));
      } else {
        failure = co_await receive();
      }
      if (failure) {
        co_return tl::make_unexpected(std::move(*failure));
      }
    }
  }

 private:
  void trace(Direction direction, std::string_view text) const {
    if (options_.trace) {
      options_.trace(direction, text);
    }
  }

  Awaitable<std::optional<NetFailure>> flush() {
    if (out_.empty()) {
      co_return std::nullopt;
    }
    trace(Direction::sent, mask_secret(out_));
    connection_.expire_after(options_.response);
    std::optional<NetFailure> failure = co_await connection_.send(out_);
    wipe(out_);
    co_return failure;
  }

  Awaitable<std::optional<MtqpFailure>> receive() {
    const auto bytes = co_await connection_.receive();
    if (!bytes) {
      co_return to_failure(bytes.error());
    }
    trace(Direction::received, *bytes);
    session_.feed(*bytes);
    co_return std::nullopt;
  }

  Awaitable<std::optional<MtqpFailure>> begin_tls(std::string domain) {
    if (connection_.input_waiting()) {  // C1
      co_return MtqpFailure{MtqpFailure::Kind::protocol,
                            "the server sent bytes before the TLS handshake"};
    }
    connection_.expire_after(mtqp::kHandshake);
    if (auto failure = co_await connection_.start_tls(options_.tls_context(), std::move(domain))) {
      co_return to_failure(std::move(*failure));
    }
    session_.tls_started();
    connection_.expire_after(options_.response);  // for the second greeting
    co_return std::nullopt;
  }

  ClientConnection& connection_;
  const MtqpClientOptions& options_;
  mtqp::ClientSession session_;
  std::string out_;
};

}  // namespace

Awaitable<Outcome> track(Resolver& resolver,
                         std::string host,
                         std::optional<std::uint16_t> port,
                         const EnvelopeId& envelope_id,
                         const TrackingSecret& secret,
                         const MtqpClientOptions& options) {
  ClientConnection connection(co_await asio::this_coro::executor);
  connection.expire_at_latest(options.end);
  connection.expire_after(options.connect);
  if (auto failure = co_await connection.connect(resolver, host, port)) {
    co_return tl::make_unexpected(to_failure(std::move(*failure)));
  }
  mtqp::ClientPolicy policy;
  policy.tls = options.tls;
  policy.domain = options.tls_name.empty() ? std::move(host) : options.tls_name;
  Run run(connection, options, std::move(policy));
  co_return co_await run.run(envelope_id, secret);
}

std::string mask_secret(std::string_view command) {
  if (!istarts_with(command, "TRACK ")) {
    return std::string(command);
  }
  return std::string(command.substr(0, command.find(' ', 6))) + " ********\r\n";
}

}  // namespace mtrk::net

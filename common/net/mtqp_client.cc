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

// A Run is one session over one connection.
class Run {
 public:
  Run(ClientConnection& connection, const MtqpClientOptions& options, std::string domain)
      : connection_(connection),
        options_(options),
        domain_(std::move(domain)),
        session_(policy()),
        response_(options.greeting.value_or(options.response)) {}

  Awaitable<std::optional<MtqpFailure>> connect(Resolver& resolver,
                                                std::string host,
                                                std::optional<std::uint16_t> port) {
    connection_.expire_at_latest(options_.end);
    connection_.expire_after(options_.connect);
    if (auto failure = co_await connection_.connect(resolver, std::move(host), port)) {
      co_return to_failure(std::move(*failure));
    }
    if (options_.implicit_tls) {
      co_return co_await handshake(domain_);
    }
    co_return std::nullopt;
  }

  // Goes on until the server can be asked.
  Awaitable<std::optional<MtqpFailure>> open() {
    session_ = mtqp::ClientSession(policy());
    connection_.expire_after(response_);  // for the greeting
    tl::expected<mtqp::ClientNext, MtqpFailure> ready = co_await advance();
    if (!ready) {
      co_return std::move(ready.error());
    }
    if (options_.approve) {
      if (std::optional<std::string> refusal = options_.approve(peer())) {
        co_await quit();
        co_return MtqpFailure{MtqpFailure::Kind::tls, std::move(*refusal)};
      }
    }
    co_return std::nullopt;
  }

  Awaitable<Outcome> ask(const EnvelopeId& envelope_id, const TrackingSecret& secret) {
    if (!session_.tls_active()) {
      trace(Direction::in_clear, "");
    }
    response_ = options_.response;
    session_.track(envelope_id, secret, out_);
    if (auto failure = co_await flush()) {
      co_return tl::make_unexpected(to_failure(std::move(*failure)));
    }
    tl::expected<mtqp::ClientNext, MtqpFailure> answer = co_await advance();
    if (!answer) {
      co_return tl::make_unexpected(std::move(answer.error()));
    }
    mtqp::Reply reply = std::move(std::get<mtqp::client::Answer>(*answer).reply);
    co_await quit();
    co_return MtqpAnswer{std::move(reply), session_.tls_active(), connection_.peer()};
  }

  // Ignores errors, because the peer may already be gone (MTQP-7-03).
  Awaitable<void> quit() {
    session_.quit(out_);
    static_cast<void>(co_await flush());
  }

  [[nodiscard]] MtqpPeer peer() const {
    return {connection_.peer(), greeted_ ? *greeted_ : session_.greeting(), session_.tls_active(),
            connection_.certificates()};
  }

 private:
  [[nodiscard]] mtqp::ClientPolicy policy() const {
    mtqp::ClientPolicy policy;
    policy.tls = options_.tls;
    policy.domain = domain_;
    if (options_.srv_names && !iequals(connection_.target(), domain_)) {
      policy.second_domain = connection_.target();
    }
    policy.tls_active = options_.implicit_tls;
    policy.max_answer = options_.max_answer;
    return policy;
  }

  // Does what the session asks for, until it is ready or has an answer.
  Awaitable<tl::expected<mtqp::ClientNext, MtqpFailure>> advance() {
    while (true) {
      mtqp::ClientNext next = session_.advance(out_);
      std::optional<NetFailure> unsent = co_await flush();
      if (auto* failure = std::get_if<mtqp::SessionFailure>(&next)) {
        co_return tl::make_unexpected(to_failure(std::move(*failure)));
      }
      if (unsent) {
        co_return tl::make_unexpected(to_failure(std::move(*unsent)));
      }
      std::optional<MtqpFailure> failure;
      if (auto* tls = std::get_if<mtqp::client::BeginTls>(&next)) {
        failure = co_await begin_tls(std::move(tls->domain));
      } else if (std::holds_alternative<mtqp::client::NeedInput>(next)) {
        failure = co_await receive();
      } else {
        co_return next;
      }
      if (failure) {
        co_return tl::make_unexpected(std::move(*failure));
      }
    }
  }

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
    connection_.expire_after(response_);
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
    if (connection_.input_waiting()) {  // THR-C1
      co_return MtqpFailure{MtqpFailure::Kind::protocol,
                            "the server sent bytes before the TLS handshake"};
    }
    greeted_ = session_.greeting();
    if (auto failure = co_await handshake(std::move(domain))) {
      co_return failure;
    }
    session_.tls_started();
    connection_.expire_after(response_);  // for the second greeting
    co_return std::nullopt;
  }

  Awaitable<std::optional<MtqpFailure>> handshake(std::string domain) {
    connection_.expire_after(mtqp::kHandshake);
    if (auto failure = co_await connection_.start_tls(options_.tls_context(), std::move(domain))) {
      co_return to_failure(std::move(*failure));
    }
    co_return std::nullopt;
  }

  ClientConnection& connection_;
  const MtqpClientOptions& options_;
  std::string domain_;
  mtqp::ClientSession session_;
  std::optional<mtqp::Greeting> greeted_;  // the greeting before TLS
  Clock::duration response_;               // the limit for the input that is awaited now
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
  Run run(connection, options, options.tls_name.empty() ? host : options.tls_name);
  if (auto failure = co_await run.connect(resolver, std::move(host), port)) {
    co_return tl::make_unexpected(std::move(*failure));
  }
  if (auto failure = co_await run.open()) {
    co_return tl::make_unexpected(std::move(*failure));
  }
  co_return co_await run.ask(envelope_id, secret);
}

Awaitable<MtqpProbe> probe(Resolver& resolver,
                           std::string host,
                           std::optional<std::uint16_t> port,
                           const MtqpClientOptions& options) {
  ClientConnection connection(co_await asio::this_coro::executor);
  Run run(connection, options, options.tls_name.empty() ? host : options.tls_name);
  std::optional<MtqpFailure> failure = co_await run.connect(resolver, std::move(host), port);
  if (!failure) {
    failure = co_await run.open();
  }
  if (!failure) {
    co_await run.quit();
  }
  co_return MtqpProbe{run.peer(), std::move(failure)};
}

std::string mask_secret(std::string_view command) {
  if (!istarts_with(command, "TRACK ")) {
    return std::string(command);
  }
  return std::string(command.substr(0, command.find(' ', 6))) + " ********\r\n";
}

}  // namespace mtrk::net

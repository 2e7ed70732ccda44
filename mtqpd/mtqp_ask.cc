#include "mtqpd/mtqp_ask.h"

#include "common/base/ascii.h"
#include "common/mtqp/uri.h"
#include "common/track/tracking_report.h"
#include "mtqpd/mtqp_dialogue.h"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>

namespace mtrk::cli {
namespace {

bool has_info(const mtqp::Reply& reply, std::string_view word) {
  return std::any_of(reply.info.begin(), reply.info.end(),
                     [&](const std::string& info) { return iequals(info, word); });
}

// Our own words: the server's text is for logs (MTQP-2.3-06).
HopFailure refusal(const mtqp::Reply& reply) {
  if (reply.status == mtqp::ReplyStatus::bad) {
    return {Trouble::protocol, "the server calls the question malformed"};
  }
  if (has_info(reply, "tls-required") || has_info(reply, "insecure")) {
    return {Trouble::tls, "the server answers only over (better) TLS"};
  }
  if (has_info(reply, "noinfo")) {
    return {Trouble::no_information, "the server knows no such message, or not with this secret"};
  }
  if (has_info(reply, "admin")) {
    return {Trouble::network, "the service is closed by its administrator"};
  }
  if (reply.status == mtqp::ReplyStatus::temp || has_info(reply, "unavailable")) {
    return {Trouble::network, "the service is not available now"};
  }
  return {Trouble::no_information, "the server refuses to answer"};
}

Trouble to_trouble(net::MtqpFailure::Kind kind) {
  switch (kind) {
    case net::MtqpFailure::Kind::network:
      return Trouble::network;
    case net::MtqpFailure::Kind::tls:
      return Trouble::tls;
    case net::MtqpFailure::Kind::protocol:
      break;
  }
  return Trouble::protocol;
}

}  // namespace

HopResult interpret(net::MtqpAnswer answer) {
  if (answer.reply.status != mtqp::ReplyStatus::ok || !answer.reply.body) {
    return refusal(answer.reply);
  }
  ReportLimits limits;
  limits.octets = mtqp::kMaxAnswer;
  Expected<std::vector<TrackingStatus>> parts = parse_report(*answer.reply.body, limits);
  if (!parts) {
    return HopFailure{Trouble::protocol, "the report is malformed: " + parts.error().detail};
  }
  const bool empty = std::all_of(parts->begin(), parts->end(), [](const TrackingStatus& part) {
    return part.recipients.empty();
  });
  if (empty) {  // MTSN-3.1-04
    return HopFailure{Trouble::protocol, "the report names no recipient"};
  }
  return HopAnswer{answer.tls, std::move(*answer.reply.body), std::move(*parts)};
}

Expected<net::AddressResolver::FixedNames> parse_fixed_names(
    const std::vector<std::string>& texts) {
  net::AddressResolver::FixedNames names;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return fail(ErrorCode::syntax, "--resolve takes HOST=ADDRESS[:PORT]");
    }
    const Expected<mtqp::HostPort> place = mtqp::parse_host_port(text.substr(equals + 1));
    net::error_code error;
    const auto address =
        place ? net::asio::ip::make_address(place->host, error) : net::asio::ip::address();
    if (!place || error) {
      return fail(ErrorCode::syntax, "--resolve takes HOST=ADDRESS[:PORT]");
    }
    names[to_lower(text.substr(0, equals))] = {address, place->port};
  }
  return names;
}

Asker::Asker(const EnvelopeId& envelope_id,
             const TrackingSecret& secret,
             const TrackOptions& options,
             net::AddressResolver::FixedNames fixed)
    : envelope_id_(envelope_id),
      secret_(secret),
      options_(options),
      resolver_(std::move(fixed)),
      tls_context_(options.tls.insecure ? net::Verify::none : net::Verify::peer,
                   options.tls.ca_file) {}

HopResult Asker::ask(const Server& server) {
  net::MtqpClientOptions client;
  client.tls = options_.tls.use;
  client.tls_context = [this]() -> net::asio::ssl::context& { return tls_context_.get(); };
  client.tls_name = first_ ? options_.tls.name : "";  // servers found on the way have their own
  client.response = Seconds(options_.timeout);
  client.trace = [&](net::MtqpClientOptions::Direction direction, std::string_view text) {
    if (direction == net::MtqpClientOptions::Direction::in_clear) {
      fmt::print(stderr, "mtqp: warning: no TLS with {}: the secret goes in clear\n",
                 to_string(server));
    } else if (options_.verbose) {
      print_dialogue(direction == net::MtqpClientOptions::Direction::sent ? '>' : '<', text);
    }
  };
  first_ = false;

  net::asio::io_context io(1);
  std::optional<tl::expected<net::MtqpAnswer, net::MtqpFailure>> outcome;
  net::asio::co_spawn(
      io, net::track(resolver_, server.host, server.port, envelope_id_, secret_, client),
      [&](std::exception_ptr error, tl::expected<net::MtqpAnswer, net::MtqpFailure> result) {
        if (error) {
          std::rethrow_exception(error);
        }
        outcome = std::move(result);
      });
  io.run();
  if (!*outcome) {
    return HopFailure{to_trouble(outcome->error().kind), std::move(outcome->error().detail)};
  }
  return interpret(std::move(**outcome));
}

}  // namespace mtrk::cli

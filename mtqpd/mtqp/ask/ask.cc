#include "mtqpd/mtqp/ask/ask.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "common/base/print_error.h"
#include "common/net/listener.h"
#include "common/track/tracking_report.h"
#include "mtqpd/mtqp/base/dialogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace mtrk::cli {
namespace {

// Describes a refusal in our own words, because the server's text is for logs (MTQP-2.3-06).
HopFailure refusal(const mtqp::Reply& reply) {
  if (reply.status == mtqp::ReplyStatus::bad) {
    return {Trouble::protocol, "the server calls the question malformed"};
  }
  if (reply.has_info("tls-required") || reply.has_info("insecure")) {
    return {Trouble::tls, "the server answers only over (better) TLS"};
  }
  if (reply.has_info("noinfo")) {
    return {Trouble::no_information, "the server knows no such message, or not with this secret"};
  }
  if (reply.has_info("admin")) {
    return {Trouble::network, "the service is closed by its administrator"};
  }
  if (reply.status == mtqp::ReplyStatus::temp || reply.has_info("unavailable")) {
    return {Trouble::network, "the service is not available now"};
  }
  return {Trouble::no_information, "the server refuses to answer"};
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
  return HopAnswer{answer.tls, std::move(*answer.reply.body), std::move(*parts),
                   answer.endpoint ? net::format_endpoint(*answer.endpoint) : std::string()};
}

Asker::Asker(const Query& query, const TrackOptions& options, net::Resolver& resolver)
    : query_(query),
      options_(options),
      resolver_(resolver),
      tls_context_(options.tls.insecure ? net::Verify::none : net::Verify::peer,
                   options.tls.ca_file),
      trust_(options.tls) {}

net::MtqpClientOptions Asker::client_options(const Server& server) {
  using Direction = net::MtqpClientOptions::Direction;
  net::MtqpClientOptions client;
  client.tls = options_.tls.use;
  client.srv_names = options_.tls.srv || options_.tls.insecure;
  client.tls_context = [this]() -> net::asio::ssl::context& { return tls_context_.get(); };
  if (first_) {  // servers found on the way have names, ports and TLS of their own
    client.tls_name = options_.tls.name;
    client.implicit_tls = options_.tls.implicit;
  }
  client.response = Seconds(options_.timeout);
  client.trace = [this, &server](Direction direction, std::string_view text) {
    if (direction == Direction::in_clear) {
      print_error("mtqp: warning: no TLS with {}: the secret goes in clear\n",
                  escape_for_people(to_string(server)));
    } else if (options_.verbose) {
      print_dialogue(direction == Direction::sent ? '>' : '<', text);
    }
  };
  client.approve = [this, &server](const net::MtqpPeer& peer) {
    return trust_.approve(to_string(server), peer);
  };
  return client;
}

HopResult Asker::ask(const Server& server) {
  const net::MtqpClientOptions client = client_options(server);
  first_ = false;
  tl::expected<net::MtqpAnswer, net::MtqpFailure> outcome = run_to_end(
      net::track(resolver_, server.host, server.port, query_.envelope_id, query_.secret, client));
  if (!outcome) {
    return HopFailure{to_trouble(outcome.error().kind), std::move(outcome.error().detail)};
  }
  return interpret(std::move(*outcome));
}

Travel Asker::run() {
  first_ = true;
  const FollowPolicy policy{options_.follow, options_.max_hops, options_.port};
  return travel(query_.server, policy, [this](const Server& server) { return ask(server); });
}

int with_asker(const TrackOptions& options, const std::function<int(Asker&)>& work) {
  Expected<std::unique_ptr<net::DnsResolver>> resolver = make_resolver(options);
  if (!resolver) {
    print_error("mtqp: {}\n", resolver.error().detail);
    return exit_code::usage;
  }
  Expected<Query> query = query_of(options);
  if (!query) {
    print_error("mtqp: {}\n", query.error().detail);
    return exit_code::usage;
  }
  if (options.confirm && !confirmed(*query)) {
    print_error("mtqp: nobody was asked\n");
    return static_cast<int>(Trouble::no_information);
  }
  Asker asker(*query, options, **resolver);
  return work(asker);
}

}  // namespace mtrk::cli

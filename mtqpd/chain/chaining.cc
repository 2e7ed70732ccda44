#include "mtqpd/chain/chaining.h"

#include "common/base/ascii.h"
#include "common/mtqp/limits.h"
#include "common/net/mtqp_client.h"
#include "common/net/source_network.h"
#include "common/track/certifier.h"
#include "common/track/tracking_report.h"
#include "mtqpd/chain/merge.h"

#include <openssl/rand.h>

#include <stdexcept>
#include <utility>

namespace mtrk::mtqpd {
namespace {

constexpr ReportLimits kAnswerLimits{256 * std::size_t{1024}, 32};  // THR-C5

// Returns what the log says of a negative reply: its status words and codes, which are ours, but
// not its text.
std::string refusal(const mtqp::Reply& reply) {
  std::string text("refused");
  for (const std::string& info : reply.info) {
    text += '/' + escape_for_people(info, 32);
  }
  return text;
}

}  // namespace

Chaining::Chaining(ChainingOptions options) : options_(std::move(options)) {
  if (RAND_bytes(salt_.data(), static_cast<int>(salt_.size())) != 1) {
    throw std::runtime_error("OpenSSL has no random octets");
  }
}

// `self` and `job` live as long as this coroutine, which its io_context ends if need be.
net::Awaitable<void> Chaining::run(std::shared_ptr<Chaining> self, std::shared_ptr<ChainJob> job) {
  co_await self->run(*job);
}

net::Awaitable<void> Chaining::run(ChainJob& job) {
  const Digest32 key =
      MessageKey::make(salt_, job.envelope_id, TrackingCertifier::of(job.secret)).octets();
  ChainLimits::Parts parts = limits_.find(key, job.client.tls_version, net::Clock::now());
  if (!parts) {
    const std::optional<std::uint64_t> source =
        job.client.trusted ? std::nullopt : std::optional(net::source_network(job.client.address));
    const ChainLimits::Turn turn = limits_.begin(key, source);
    if (!turn) {
      job.steps.push_back({job.servers.front(), "not now: a limit, or asked for already"});
      co_return;
    }
    Parts answers = co_await ask_all(job);
    parts = std::make_shared<const Parts>(std::move(answers));
    limits_.keep(key, job.client.tls_version, parts, net::Clock::now());
  }
  complete(job, *parts);
}

// Asks one server after the other, each with its share of the time that is left. So the answer
// comes in time even if all of them are slow.
net::Awaitable<Chaining::Parts> Chaining::ask_all(ChainJob& job) {
  const ChainPlaces places{options_.networks, options_.port, job.client.reached, is_local_address};
  net::DnsResolver dns({}, options_.dns);
  GuardedResolver resolver(dns, places);
  const net::Clock::time_point end = net::Clock::now() + options_.budget;
  Parts all;
  std::size_t left = job.servers.size();
  for (const std::string& server : job.servers) {
    const net::Clock::time_point now = net::Clock::now();
    const auto share = (end - now) / static_cast<net::Clock::duration::rep>(left--);
    Parts parts = co_await ask(job, server, resolver, now + share);
    all.insert(all.end(), std::make_move_iterator(parts.begin()),
               std::make_move_iterator(parts.end()));
  }
  co_return all;
}

net::Awaitable<Chaining::Parts> Chaining::ask(ChainJob& job,
                                              const std::string& server,
                                              net::Resolver& resolver,
                                              net::Clock::time_point end) {
  const std::string& level = job.client.tls_version;
  net::MtqpClientOptions client;
  client.tls = level.empty() ? mtqp::TlsUse::if_offered : mtqp::TlsUse::required;
  client.tls_context = [this]() -> net::asio::ssl::context& { return *options_.tls; };
  client.greeting = options_.greeting;
  client.connect = options_.connect;
  client.end = end;
  client.max_answer = kAnswerLimits.octets;
  client.approve = [&level](const net::MtqpPeer& peer) -> std::optional<std::string> {
    if (peer.certificates.protocol < level) {  // MTQP-11-08
      return "an older version of TLS than the client's";
    }
    return std::nullopt;
  };
  auto answer =
      co_await net::track(resolver, server, std::nullopt, job.envelope_id, job.secret, client);
  const auto give_up = [&](std::string why) {
    job.steps.push_back({server, std::move(why)});
    return Parts();
  };
  if (!answer) {
    co_return give_up(std::move(answer.error().detail));
  }
  if (answer->reply.status != mtqp::ReplyStatus::ok || !answer->reply.body) {
    co_return give_up(refusal(answer->reply));
  }
  const Expected<std::vector<TrackingStatus>> report =
      parse_report(*answer->reply.body, kAnswerLimits);
  if (!report) {
    co_return give_up(report.error().detail);
  }
  Parts parts = accept_parts(*report, server, {job.envelope_id.decoded(), job.own, options_.rules});
  if (parts.empty()) {
    co_return give_up("nothing in its answer is of use");
  }
  job.steps.push_back({server, "answered"});
  co_return parts;
}

void Chaining::complete(ChainJob& job, const Parts& parts) const {
  if (options_.hops == ChainingOptions::Hops::all) {
    MessageViews onward(parts);
    if (options_.confidentiality.hide_hosts) {
      const MtaName& own = job.own.front().reporting_mta;
      disguise_hosts(onward.messages(), {own.type, own.name});
    }
    job.parts =
        append_parts(job.report, job.envelope_id.decoded(), onward.messages(), mtqp::kMaxAnswer);
    return;
  }
  Parts own = job.own;
  job.parts = adopt_final_outcomes(own, parts, options_.rules);
  if (job.parts == 0) {
    return;
  }
  MessageViews shown(own);
  for (const MessageView& message : shown.messages()) {
    apply_confidentiality(message, options_.confidentiality);
  }
  std::string report;
  append_report(report, job.envelope_id.decoded(), shown.messages(), make_boundary());
  if (report.size() <= mtqp::kMaxAnswer) {
    job.report = std::move(report);
  }
}

}  // namespace mtrk::mtqpd

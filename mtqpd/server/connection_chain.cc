#include "common/base/log.h"
#include "common/net/source_network.h"
#include "mtqpd/server/connection.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <utility>

// This file is the part of a connection that chaining uses, if it is on.
namespace mtrk::mtqpd {

namespace asio = net::asio;

std::unique_ptr<ChainJob> Connection::plan_chain(mtqp::LookUp& query,
                                                 QueryService::Batch& batch,
                                                 const std::string& report) {
  store::TrackingReader::Found found = batch.copy(query, wall_clock());
  std::vector<std::string> servers =
      servers_to_ask(found.messages, settings_->chaining->options().rules);
  if (servers.empty()) {
    return nullptr;
  }
  net::error_code ignored;
  ChainClient client{peer_.address(), net::is_trusted(peer_.address(), settings_->limits.trusted),
                     transport_.socket().local_endpoint(ignored), transport_.tls_version()};
  return std::make_unique<ChainJob>(ChainJob{
      found.without_brackets ? std::move(*found.without_brackets) : std::move(query.envelope_id),
      std::move(query.secret),
      std::move(found.messages),
      std::move(servers),
      std::move(client),
      report,
      {},
      0});
}

// Asks other servers while the client waits. Whatever becomes of that, there is an answer.
net::Awaitable<void> Connection::answer_chained(mtqp::ServerSession& session) {
  const std::shared_ptr<ChainJob> job = std::move(chain_);
  // Chaining ends by itself before that.
  allow(2 * settings_->chaining->options().budget, "chaining");
  asio::cancellation_signal end_chain;
  end_chain_ = &end_chain;
  if (!set_.draining()) {
    const auto executor = co_await asio::this_coro::executor;
    static_cast<void>(co_await asio::co_spawn(  // after an exception there is nothing to add
        executor, Chaining::run(settings_->chaining, job),
        asio::bind_cancellation_slot(end_chain.slot(), net::kAwait)));
  }
  end_chain_ = nullptr;
  set_.counters().add(job->parts > 0 ? ServerCounters::chained : ServerCounters::chained_not);
  log_chain(*job);
  session.answer(mtqp::ServerSession::LookUpResult::found, job->report, out_);
}

void Connection::log_chain(const ChainJob& job) {
  for (const ChainJob::Step& step : job.steps) {
    if (settings_->log_queries && set_.log_budget().take()) {
      log::info(fmt::format("{:08x}", chain_tag_),
                {{"asked", step.server}, {"result", step.result}});
    }
  }
}

}  // namespace mtrk::mtqpd

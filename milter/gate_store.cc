#include "milter/gate_store.h"

#include "common/base/log.h"
#include "milter/gate_settings.h"

#include <boost/asio/this_coro.hpp>

#include <exception>
#include <utility>

namespace mtrk::gate {
namespace {

constexpr std::chrono::milliseconds kPause{20};
constexpr std::chrono::seconds kTryAgain{5};

}  // namespace

std::optional<store::QueuedTracking> GateStore::find(const std::string& queue_id) {
  if (!reader_ && net::Clock::now() < next_try_) {
    return std::nullopt;
  }
  try {
    if (!reader_) {
      reader_ = std::make_unique<store::QueuedTrackingReader>(path_);
      if (std::exchange(complained_, false)) {
        log::notice("", {{"store", "open"}, {"path", path_}});
      }
    }
    return reader_->find(queue_id);
  } catch (const std::exception& error) {
    reader_.reset();
    next_try_ = net::Clock::now() + kTryAgain;
    if (!std::exchange(complained_, true)) {
      log::error("",
                 {{"store", "unavailable, mail goes on without MTRK"}, {"reason", error.what()}});
    }
    return std::nullopt;
  }
}

net::Awaitable<smtp::GateOnwardSession::Answer> GateStore::look_up(
    smtp::GateOnwardSession::Transaction transaction, PassOnPolicy policy) {
  net::Timer pause(co_await net::asio::this_coro::executor);
  const net::Clock::time_point begin = net::Clock::now();
  for (;;) {
    const auto waited =
        std::chrono::duration_cast<std::chrono::milliseconds>(net::Clock::now() - begin);
    const std::optional<store::QueuedTracking> tracking = find(transaction.queue_id);
    if (!tracking) {
      co_return smtp::GateOnwardSession::Answer{};  // not tracked: by far the most mail
    }
    const Verdict verdict = judge(*tracking, transaction, policy, wall_clock(), waited);
    if (verdict.kind == Verdict::Kind::pass_on) {
      log::info(transaction.queue_id, {{"mtrk", "passed on"}});
      co_return smtp::GateOnwardSession::Answer{verdict.onward, false};
    }
    if (verdict.kind == Verdict::Kind::withhold) {
      log::info(transaction.queue_id, {{"mtrk", "withheld"}, {"reason", verdict.why}});
      co_return smtp::GateOnwardSession::Answer{std::nullopt, verdict.list_copy};
    }
    pause.expires_after(kPause);
    co_await pause.async_wait(net::kAwait);
  }
}

}  // namespace mtrk::gate

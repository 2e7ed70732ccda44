#include "milter/gate_store.h"

#include "common/base/log.h"
#include "common/track/envelope_id.h"
#include "milter/gate_settings.h"

#include <boost/asio/this_coro.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace mtrk::gate {
namespace {

constexpr std::chrono::milliseconds kPause{20};
constexpr std::chrono::seconds kTryAgain{5};

using Kind = Verdict::Kind;
using Transaction = smtp::GateOnwardSession::Transaction;

std::vector<store::QueuedTracking> find_in(store::QueuedTrackingReader& reader,
                                           const Transaction& transaction) {
  std::vector<store::QueuedTracking> found;
  if (!transaction.queue_id.empty()) {
    if (std::optional<store::QueuedTracking> tracking = reader.find(transaction.queue_id)) {
      found.push_back(*std::move(tracking));
    }
  } else if (transaction.certifier) {
    if (const Expected<EnvelopeId> id = EnvelopeId::parse_xtext(transaction.envid)) {
      found = reader.find(*id, *transaction.certifier);
    }
  }
  return found;
}

// Of transactions of one message, which the recipients tell apart: the verdict that gets furthest.
struct Judged {
  const store::QueuedTracking* tracking;
  Verdict verdict;
};
Judged judge_all(const std::vector<store::QueuedTracking>& found,
                 const Transaction& transaction,
                 const PassOnPolicy& policy,
                 std::chrono::milliseconds waited) {
  const auto far = [](const Verdict& verdict) {
    return verdict.kind == Kind::pass_on ? 2 : verdict.kind == Kind::ask_again ? 1 : 0;
  };
  std::optional<Judged> best;
  for (const store::QueuedTracking& tracking : found) {
    Verdict verdict = judge(tracking, transaction, policy, wall_clock(), waited);
    if (!best || far(verdict) > far(best->verdict)) {
      best = Judged{&tracking, std::move(verdict)};
    }
  }
  return *std::move(best);
}

}  // namespace

std::vector<store::QueuedTracking> GateStore::find(const Transaction& transaction) {
  if (!reader_ && net::Clock::now() < next_try_) {
    return {};
  }
  try {
    if (!reader_) {
      reader_ = std::make_unique<store::QueuedTrackingReader>(path_);
      if (std::exchange(complained_, false)) {
        log::notice("", {{"store", "open"}, {"path", path_}});
      }
    }
    return find_in(*reader_, transaction);
  } catch (const std::exception& error) {
    reader_.reset();
    next_try_ = net::Clock::now() + kTryAgain;
    if (!std::exchange(complained_, true)) {
      log::error("",
                 {{"store", "unavailable, mail goes on without MTRK"}, {"reason", error.what()}});
    }
    return {};
  }
}

net::Awaitable<smtp::GateOnwardSession::Answer> GateStore::look_up(Transaction transaction,
                                                                   PassOnPolicy policy) {
  net::Timer pause(co_await net::asio::this_coro::executor);
  const net::Clock::time_point begin = net::Clock::now();
  for (;;) {
    const auto waited =
        std::chrono::duration_cast<std::chrono::milliseconds>(net::Clock::now() - begin);
    const std::vector<store::QueuedTracking> found = find(transaction);
    if (found.empty()) {
      co_return smtp::GateOnwardSession::Answer{};  // not tracked: by far the most mail
    }
    const auto [tracking, verdict] = judge_all(found, transaction, policy, waited);
    const std::string& queue_id =
        transaction.queue_id.empty() ? tracking->trace.root() : transaction.queue_id;
    if (verdict.kind == Kind::pass_on) {
      log::info(queue_id, {{"mtrk", "passed on"}});
      co_return smtp::GateOnwardSession::Answer{verdict.onward, false};
    }
    if (verdict.kind == Kind::withhold) {
      log::info(queue_id, {{"mtrk", "withheld"}, {"reason", verdict.why}});
      co_return smtp::GateOnwardSession::Answer{std::nullopt, verdict.list_copy};
    }
    pause.expires_after(kPause);
    co_await pause.async_wait(net::kAwait);
  }
}

}  // namespace mtrk::gate

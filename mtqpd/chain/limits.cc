#include "mtqpd/chain/limits.h"

#include <algorithm>

namespace mtrk::mtqpd {

ChainLimits::Turn::~Turn() {
  if (limits_ == nullptr) {
    return;
  }
  const std::lock_guard lock(limits_->mutex_);
  limits_->messages_.erase(message_);
  if (source_) {
    const auto source = limits_->sources_.find(*source_);
    if (--source->second == 0) {
      limits_->sources_.erase(source);
    }
  }
}

ChainLimits::Turn ChainLimits::begin(const Digest32& message, std::optional<std::uint64_t> source) {
  const std::lock_guard lock(mutex_);
  if (messages_.size() >= kQueries || messages_.contains(message)) {
    return {};
  }
  if (source && ++sources_[*source] > kQueriesPerSource) {
    --sources_[*source];
    return {};
  }
  messages_.insert(message);
  return {*this, message, source};
}

ChainLimits::Parts ChainLimits::find(const Digest32& message,
                                     const std::string& level,
                                     net::Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  drop_old(now);
  const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) {
    return kept.message == message && kept.level == level;
  });
  return found == kept_.end() ? nullptr : found->parts;
}

void ChainLimits::keep(const Digest32& message,
                       std::string level,
                       Parts parts,
                       net::Clock::time_point now) {
  std::size_t recipients = 0;
  for (const TrackedMessage& part : *parts) {
    recipients += part.recipients.size();
  }
  const std::lock_guard lock(mutex_);
  drop_old(now);
  if (recipients > kMostRecipients) {
    return;
  }
  kept_.push_back({message, std::move(level), std::move(parts), recipients, now + kKept});
  recipients_ += recipients;
  while (kept_.size() > kMostAnswers || recipients_ > kMostRecipients) {
    drop_oldest();
  }
}

void ChainLimits::drop_oldest() {
  recipients_ -= kept_.front().recipients;
  kept_.pop_front();
}

void ChainLimits::drop_old(net::Clock::time_point now) {
  while (!kept_.empty() && kept_.front().until <= now) {
    drop_oldest();
  }
}

}  // namespace mtrk::mtqpd

#include "milter/onward/store.h"

#include "common/base/log.h"
#include "common/track/envelope_id.h"

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace mtrk {

void OnwardStore::open(const std::string& path) noexcept {
  try {
    auto reader = std::make_unique<store::QueuedTrackingReader>(path);
    const std::lock_guard lock(mutex_);
    reader_ = std::move(reader);
    opened_.notify_all();
  } catch (const std::exception& error) {
    close();
    log::error("", {{"store", "not open to mtrk-gate"}, {"error", error.what()}});
  }
}

void OnwardStore::close() noexcept {
  const std::lock_guard lock(mutex_);
  if (reader_) {
    closed_at_ = Clock::now();
  }
  reader_.reset();
}

std::vector<store::QueuedTracking> OnwardStore::find(const OnwardTransaction& transaction) {
  std::unique_lock lock(mutex_);
  if (!opened_.wait_until(lock, closed_at_ + kReopening, [this] { return reader_ != nullptr; })) {
    throw std::runtime_error("the store is closed");
  }
  std::vector<store::QueuedTracking> found;
  if (!transaction.queue_id.empty()) {
    if (std::optional<store::QueuedTracking> one = reader_->find(transaction.queue_id)) {
      found.push_back(*std::move(one));
    }
  } else if (transaction.certifier) {
    if (const Expected<EnvelopeId> id = EnvelopeId::parse_xtext(transaction.envid)) {
      found = reader_->find(*id, *transaction.certifier);
    }
  }
  return found;
}

}  // namespace mtrk

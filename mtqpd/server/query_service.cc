#include "mtqpd/server/query_service.h"

#include "common/base/exit_code.h"
#include "common/store/store_error.h"
#include "common/track/tracking_report.h"

#include <algorithm>
#include <mutex>
#include <span>
#include <utility>

namespace mtrk::mtqpd {
namespace {

using LookUpResult = mtqp::ServerSession::LookUpResult;

constexpr std::chrono::seconds kFirstBackOff{1};
constexpr std::chrono::seconds kLongestBackOff{30};

// Drawing a boundary costs as much as looking a message up, so one serves many answers. A client
// may know it by then, which does no harm: append_report() notices it in the content and takes
// another.
const std::string& current_boundary() {
  constexpr unsigned kAnswers = 1000;
  thread_local std::string boundary;
  thread_local unsigned left = 0;
  if (left == 0) {
    boundary = make_boundary();
    left = kAnswers;
  }
  --left;
  return boundary;
}

class StoreSnapshot final : public MessageSource::Snapshot {
 public:
  explicit StoreSnapshot(const store::TrackingReader& reader) : snapshot_(reader.snapshot()) {}

  [[nodiscard]] MessageSource::Views find(const EnvelopeId& envelope_id,
                                          const TrackingCertifier& certifier,
                                          TimePoint now) override {
    return snapshot_.find(envelope_id, certifier, now);
  }

  [[nodiscard]] bool sound() const override { return snapshot_.sound(); }

 private:
  store::TrackingReader::Snapshot snapshot_;
};

class TrackingStore final : public MessageSource {
 public:
  explicit TrackingStore(const std::string& path) : reader_(path) {}

  [[nodiscard]] std::unique_ptr<Snapshot> snapshot() const override {
    return std::make_unique<StoreSnapshot>(reader_);
  }

  [[nodiscard]] bool replaced() const override { return !reader_.current(); }

 private:
  store::TrackingReader reader_;
};

}  // namespace

OpenSource open_tracking_store(std::string path) {
  return [path = std::move(path)] { return std::make_unique<TrackingStore>(path); };
}

QueryService::QueryService(OpenSource open) : open_(std::move(open)) {}

bool QueryService::available() const {
  const std::shared_lock lock(mutex_);
  return source_ != nullptr;
}

bool QueryService::needs_opening() const {
  const std::shared_lock lock(mutex_);
  return source_ == nullptr || suspect_.load(std::memory_order_relaxed) || source_->replaced();
}

std::optional<QueryService::Change> QueryService::tend(net::Clock::time_point now) {
  if (now < next_try_ || !needs_opening()) {
    return std::nullopt;
  }
  const std::unique_lock lock(mutex_);
  source_.reset();
  suspect_.store(false, std::memory_order_relaxed);
  try {
    source_ = open_();
  } catch (const store::StoreUnusable& error) {
    if (error.exit_code() == exit_code::config) {
      throw;
    }
    return failed(now, error.what());
  } catch (const store::StoreError& error) {
    return failed(now, error.what());
  }
  back_off_ = kFirstBackOff;
  // A row that cannot be read must not reopen the store all the time.
  next_try_ = now + kFirstBackOff;
  if (reported_ == true) {
    return std::nullopt;
  }
  reported_ = true;
  return Change{true, {}};
}

std::optional<QueryService::Change> QueryService::failed(net::Clock::time_point now,
                                                         const char* why) {
  next_try_ = now + back_off_;
  back_off_ = std::min(2 * back_off_, kLongestBackOff);
  if (reported_ == false) {
    return std::nullopt;
  }
  reported_ = false;
  return Change{false, why};
}

// Returns nothing without a store, and then leaves snapshot_ empty. Throws StoreError.
MessageSource::Views QueryService::Batch::find(const mtqp::LookUp& query, TimePoint now) {
  if (!snapshot_) {
    if (!lock_) {
      lock_ = std::shared_lock(service_.mutex_);
    }
    if (service_.source_ == nullptr) {
      return {};
    }
    snapshot_ = service_.source_->snapshot();
  }
  return snapshot_->find(query.envelope_id, TrackingCertifier::of(query.secret), now);
}

LookUpResult QueryService::Batch::answer(const mtqp::LookUp& query,
                                         const Confidentiality& confidentiality,
                                         TimePoint now,
                                         std::string& report,
                                         std::uint32_t* tag) {
  MessageSource::Views found;
  try {
    found = find(query, now);
  } catch (const store::StoreError&) {
    return broken();
  }
  if (!snapshot_) {
    return LookUpResult::unavailable;
  }
  if (tag != nullptr) {
    *tag = found.key_tag;
  }
  if (found.messages.empty()) {
    return LookUpResult::no_information;
  }
  for (const MessageView& message : found.messages) {
    apply_confidentiality(message, confidentiality);
  }
  const EnvelopeId& echo = found.without_brackets ? *found.without_brackets : query.envelope_id;
  const std::string& boundary = current_boundary();
  // If a message was sent very often, only its newest transactions are shown, so that the answer
  // keeps its limit (THR-P8).
  for (std::span<const MessageView> shown(found.messages);;) {
    report.clear();
    append_report(report, echo.decoded(), shown, boundary);
    if (report.size() <= mtqp::kMaxAnswer || shown.size() == 1) {
      break;
    }
    shown = shown.subspan(shown.size() / 2);
  }
  if (!snapshot_->sound()) {  // what was just written is made of pages that could not be read
    report.clear();
    return broken();
  }
  return LookUpResult::found;
}

LookUpResult QueryService::Batch::broken() {
  service_.suspect_.store(true, std::memory_order_relaxed);
  snapshot_.reset();
  return LookUpResult::unavailable;
}

store::TrackingReader::Found QueryService::Batch::copy(const mtqp::LookUp& query, TimePoint now) {
  store::TrackingReader::Found copied;
  try {
    MessageSource::Views found = find(query, now);
    for (const MessageView& message : found.messages) {
      copied.messages.push_back(to_tracked_message(message));
    }
    copied.without_brackets = std::move(found.without_brackets);
    copied.key_tag = found.key_tag;
    if (snapshot_ && !snapshot_->sound()) {
      static_cast<void>(broken());
      copied.messages.clear();
    }
  } catch (const store::StoreError&) {
    static_cast<void>(broken());
    copied.messages.clear();
  }
  return copied;
}

}  // namespace mtrk::mtqpd

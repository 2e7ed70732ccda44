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
constexpr int kSnapshots = 100;  // one after the other overtaken, before an answer is given up

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

void write_report(const MessageSource::Views& found,
                  const mtqp::LookUp& query,
                  const Confidentiality& confidentiality,
                  std::string& report) {
  for (const MessageView& message : found.messages) {
    apply_confidentiality(message, confidentiality);
  }
  const EnvelopeId& echo = found.without_brackets ? *found.without_brackets : query.envelope_id;
  const std::string& boundary = current_boundary();
  // A message sent very often: only its newest transactions, so that one answer stays one (THR-P8).
  for (std::span<const MessageView> shown(found.messages);;) {
    report.clear();
    append_report(report, echo.decoded(), shown, boundary);
    if (report.size() <= mtqp::kMaxAnswer || shown.size() == 1) {
      break;
    }
    shown = shown.subspan(shown.size() / 2);
  }
}

class StoreSnapshot final : public MessageSource::Snapshot {
 public:
  explicit StoreSnapshot(const store::TrackingReader& reader) : snapshot_(reader.snapshot()) {}

  [[nodiscard]] MessageSource::Views find(const EnvelopeId& envelope_id,
                                          const TrackingCertifier& certifier,
                                          TimePoint now) override {
    return snapshot_.find(envelope_id, certifier, now);
  }

  void confirm() const override { snapshot_.confirm(); }

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

template <typename Use>
bool QueryService::Batch::find(const mtqp::LookUp& query, TimePoint now, Use&& use) {
  const TrackingCertifier certifier = TrackingCertifier::of(query.secret);
  for (int snapshots = 0;;) {
    try {
      if (!snapshot_) {
        if (!lock_) {
          lock_ = std::shared_lock(service_.mutex_);
        }
        if (service_.source_ == nullptr) {
          return false;
        }
        snapshot_ = service_.source_->snapshot();
      }
      use(snapshot_->find(query.envelope_id, certifier, now));
      snapshot_->confirm();
      return true;
    } catch (const store::StoreOvertaken&) {
      snapshot_.reset();
      if (++snapshots == kSnapshots) {
        throw;
      }
    }
  }
}

LookUpResult QueryService::Batch::answer(const mtqp::LookUp& query,
                                         const Confidentiality& confidentiality,
                                         TimePoint now,
                                         std::string& report,
                                         std::uint32_t* tag) {
  LookUpResult result = LookUpResult::no_information;
  const auto use = [&](const MessageSource::Views& found) {
    if (tag != nullptr) {
      *tag = found.key_tag;
    }
    result = LookUpResult::no_information;
    if (!found.messages.empty()) {
      result = LookUpResult::found;
      write_report(found, query, confidentiality, report);
    }
  };
  try {
    return find(query, now, use) ? result : LookUpResult::unavailable;
  } catch (const store::StoreOvertaken&) {  // the store is all right, only very busy
  } catch (const store::StoreError&) {
    broken();
  }
  report.clear();
  return LookUpResult::unavailable;
}

void QueryService::Batch::broken() {
  service_.suspect_.store(true, std::memory_order_relaxed);
  snapshot_.reset();
}

store::TrackingReader::Found QueryService::Batch::copy(const mtqp::LookUp& query, TimePoint now) {
  store::TrackingReader::Found copied;
  const auto use = [&](MessageSource::Views found) {
    copied.messages.clear();
    for (const MessageView& message : found.messages) {
      copied.messages.push_back(to_tracked_message(message));
    }
    copied.without_brackets = std::move(found.without_brackets);
    copied.key_tag = found.key_tag;
  };
  try {
    static_cast<void>(find(query, now, use));
  } catch (const store::StoreOvertaken&) {
    copied.messages.clear();
  } catch (const store::StoreError&) {
    broken();
    copied.messages.clear();
  }
  return copied;
}

}  // namespace mtrk::mtqpd

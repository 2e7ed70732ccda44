#pragma once

#include "mtqpd/server/query_service.h"

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace mtrk::test {

// KnownMessages is a snapshot without a store: it finds the messages that `know` returns for an id.
class KnownMessages final : public mtqpd::MessageSource::Snapshot {
 public:
  using Know = std::function<std::vector<TrackedMessage>(const EnvelopeId&)>;
  explicit KnownMessages(Know know) : know_(std::move(know)) {}

  [[nodiscard]] mtqpd::MessageSource::Views find(const EnvelopeId& envelope_id,
                                                 const TrackingCertifier&,
                                                 TimePoint) override {
    messages_ = know_(envelope_id);
    views_.emplace(messages_);
    return {views_->messages(), std::nullopt, 0};
  }

 private:
  Know know_;
  std::vector<TrackedMessage> messages_;
  std::optional<MessageViews> views_;
};

}  // namespace mtrk::test

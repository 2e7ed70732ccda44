#pragma once

#include "common/maillog/delivery_event.h"
#include "common/store/capture.h"
#include "common/store/tracking_reader.h"
#include "common/store/tracking_writer.h"

#include <gtest/gtest.h>

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What the tests of the store share: a store in a temporary folder, captures and events.
namespace mtrk::store {

inline constexpr TimePoint kNow{Seconds(1'800'000'000)};
inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
inline constexpr Seconds kDay{24 * 3600};

class TempFolder {
 public:
  TempFolder() : path_((std::filesystem::temp_directory_path() / "mtrk-store-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) {
      throw std::runtime_error("mkdtemp");
    }
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline EnvelopeId envid(std::string_view text) {
  return EnvelopeId::from_decoded(text).value();
}
inline TrackingCertifier certifier(std::uint8_t octet = 7) {
  Digest20 octets;
  octets.fill(octet);
  return TrackingCertifier::from_octets(octets);
}

inline Capture capture(std::string_view queue_id,
                       std::string_view envelope_id,
                       std::vector<std::string> recipients = {"user@example.net"},
                       Stage stage = Stage::final,
                       std::uint64_t ticket = 1) {
  Capture made{QueueId::parse(queue_id).value(),
               envid(envelope_id),
               certifier(),
               {},
               {"dns", "mx.example.test"},
               kNow,
               Minutes(60),
               ticket,
               stage,
               {}};
  for (std::string& recipient : recipients) {
    made.recipients.push_back({{"rfc822", recipient}, {"rfc822", recipient}});
  }
  return made;
}

inline maillog::DeliveryEvent event(std::string_view queue_id,
                                    decltype(maillog::DeliveryEvent::what) what,
                                    Seconds after = Seconds(1)) {
  return {LogTime(kNow + after), queue_id, what};
}
inline maillog::DeliveryEvent queued(std::string_view queue_id) {
  return event(queue_id, maillog::Queued{"s@example.net", 1});
}
inline maillog::DeliveryEvent removed(std::string_view queue_id) {
  return event(queue_id, maillog::Removed{"qmgr"}, Seconds(9));
}
inline maillog::DeliveryEvent attempt(std::string_view queue_id,
                                      std::string_view recipient,
                                      std::string_view status,
                                      Seconds after = Seconds(5)) {
  maillog::Attempt made;
  made.agent = "smtp";
  made.recipient = recipient;
  made.relay = "mx.example.net[192.0.2.25]:25";
  made.delay = "1.0";
  made.delays = "0/0/0.5/0.5";
  made.status = status;
  const bool sent = status == "sent";
  made.dsn = sent ? EnhancedStatus{2, 0, 0}
                  : EnhancedStatus{static_cast<std::uint8_t>(status == "bounced" ? 5 : 4), 1, 1};
  made.text = sent ? "250 2.0.0 Ok: queued as 4ABCDEF" : "host mx.example.net said: no";
  return event(queue_id, made, after);
}

class StoreTest : public ::testing::Test {
 protected:
  [[nodiscard]] WriterOptions options() const {
    WriterOptions made;
    made.path = folder_.path() + "/store";
    made.max_size = 64 * kMiB;
    return made;
  }
  void open() { writer_.emplace(options(), Create::if_missing); }
  void reopen() {
    writer_.reset();
    open();
  }
  void SetUp() override { open(); }

  // One batch.
  Kept put(const Capture& made) {
    writer_->begin();
    const Kept kept = writer_->put_capture(made);
    writer_->commit();
    return kept;
  }
  void apply(std::initializer_list<maillog::DeliveryEvent> events) {
    writer_->begin();
    for (const maillog::DeliveryEvent& one : events) {
      static_cast<void>(writer_->apply(one));
    }
    writer_->commit();
  }
  std::size_t sweep(TimePoint now, std::size_t limit = 1000) {
    writer_->begin();
    const std::size_t removed = writer_->sweep(now, limit);
    writer_->commit();
    return removed;
  }
  [[nodiscard]] std::vector<TrackedMessage> find(std::string_view envelope_id,
                                                 TimePoint now = kNow,
                                                 std::uint8_t secret = 7) const {
    return TrackingReader(options().path).find(envid(envelope_id), certifier(secret), now).messages;
  }
  [[nodiscard]] std::vector<Action> actions(std::string_view envelope_id) const {
    std::vector<Action> result;
    for (const TrackedMessage& message : find(envelope_id)) {
      for (const Recipient& recipient : message.recipients) {
        result.push_back(action_of(recipient.outcome));
      }
    }
    return result;
  }

  TempFolder folder_;
  std::optional<TrackingWriter> writer_;
};

}  // namespace mtrk::store

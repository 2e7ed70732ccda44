// Makes the golden store of a format: one message per outcome, one that is still queued and
// followed, one that is only provisional, a log cursor. Argument: the folder to make. What was made
// for a released format is never made again: golden_store_test.cc reads it for ever.
#include "common/store/store_error.h"
#include "common/store/tracking_writer.h"

#include <cstdio>
#include <exception>
#include <string>

namespace {

using namespace std::chrono_literals;
using mtrk::Outcome;
using mtrk::Seconds;

constexpr mtrk::TimePoint kArrival{Seconds(1'800'000'000)};
constexpr std::uint64_t kMapSize = std::uint64_t{1} << 20;

mtrk::EnvelopeId envid(const std::string& text) {
  return mtrk::EnvelopeId::from_decoded(text).value();
}

mtrk::TrackingCertifier certifier() {
  mtrk::Digest20 octets;
  octets.fill(7);
  return mtrk::TrackingCertifier::from_octets(octets);
}

mtrk::TrackedMessage with_every_outcome() {
  mtrk::TrackedMessage message;
  message.reporting_mta = {"dns", "mx.example.test"};
  message.arrival = kArrival;
  message.utc_offset = mtrk::Minutes(-210);
  message.expires_at = kArrival + Seconds(86400);
  const mtrk::LastAttempt attempt{kArrival + 5s, mtrk::MtaName{"dns", "mx.example.net"}};
  const Outcome outcomes[] = {
      mtrk::Delivered{*mtrk::SuccessStatus::make({2, 0, 0}), {kArrival, {}}},
      mtrk::Failed{*mtrk::FailureStatus::make({5, 1, 1}), attempt},
      mtrk::Expanded{*mtrk::SuccessStatus::make({2, 0, 0}), kArrival},
      mtrk::Relayed{attempt},
      mtrk::Transferred{*mtrk::SuccessStatus::make({2, 4, 0}), kArrival, {"dns", "mx.example.net"}},
      mtrk::Delayed{*mtrk::TransientStatus::make({4, 4, 1}), attempt, kArrival + 432000s},
      mtrk::Opaque{}};
  for (const Outcome& outcome : outcomes) {
    const std::string number = std::to_string(message.recipients.size());
    message.recipients.push_back({{"rfc822", "given" + number + "@example.net"},
                                  {"utf-8", "\xC3\xBC" + number + "@example.net"},
                                  outcome,
                                  message.recipients.size() % 2 == 1});
  }
  return message;
}

mtrk::store::Capture capture(const std::string& queue_id,
                             const std::string& envelope_id,
                             mtrk::store::Stage stage) {
  return {mtrk::QueueId::parse(queue_id).value(),
          envid(envelope_id),
          certifier(),
          Seconds(3600),
          {"dns", "mx.example.test"},
          kArrival,
          mtrk::Minutes(60),
          42,
          stage,
          {{{"rfc822", "a@example.net"}, {"rfc822", "a@example.net"}},
           {{"rfc822", "b@example.net"}, {"rfc822", "b@example.net"}}}};
}

void make(const std::string& path) {
  mtrk::store::WriterOptions options;
  options.path = path;
  options.max_size = kMapSize;
  mtrk::store::TrackingWriter writer(options, mtrk::store::Create::if_missing);
  writer.begin();
  static_cast<void>(
      writer.put_message(envid("every@example.net"), certifier(), with_every_outcome()));
  static_cast<void>(writer.put_capture(
      capture("4dCXzt0Cvjz5Z", "queued@example.net", mtrk::store::Stage::final)));
  static_cast<void>(writer.put_capture(
      capture("4dCXzt0CvjzAA", "provisional@example.net", mtrk::store::Stage::provisional)));
  mtrk::maillog::Attempt attempt;
  attempt.agent = "smtp";
  attempt.recipient = "a@example.net";
  attempt.relay = "mx.example.net[192.0.2.25]:25";
  attempt.status = "sent";
  attempt.dsn = mtrk::EnhancedStatus{2, 0, 0};
  static_cast<void>(writer.apply({mtrk::LogTime(kArrival + 5s), "4dCXzt0Cvjz5Z", attempt}));
  writer.put_cursor("file:/var/log/mail.log", {1, 2, 3, 4, 5, "s=journal"});
  writer.commit();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_golden_store FOLDER\n");
    return 64;
  }
  try {
    make(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}

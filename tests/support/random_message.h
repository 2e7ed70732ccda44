#pragma once

#include "common/track/tracked_message.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// A ChoiceSource makes tracked messages from a stream of octets (of a fuzzer or a seeded
// generator), with hostile text in every place into which outsiders can write.
namespace mtrk::testing {

// Yields zeros when the octets are used up, so that every input makes a message.
class ChoiceSource {
 public:
  explicit ChoiceSource(std::string_view octets) : octets_(octets) {}

  std::uint32_t below(std::uint32_t limit) {
    std::uint32_t value = 0;
    for (std::uint32_t reach = 1; reach < limit; reach *= 256) {
      value = value * 256 + octet();
      if (reach > 0xffffff) {
        break;
      }
    }
    return value % limit;
  }
  bool yes() { return below(2) == 1; }

  std::string text() {
    static constexpr std::string_view kPieces[] = {"user",
                                                   "@",
                                                   "example.com",
                                                   "\r\n",
                                                   "\n",
                                                   ".",
                                                   "\r\n.\r\n",
                                                   "Action: delivered",
                                                   "--b1",
                                                   "--b1--",
                                                   " ",
                                                   "(",
                                                   ")",
                                                   "\"",
                                                   ";",
                                                   ",",
                                                   "\\",
                                                   "\\x{",
                                                   "}",
                                                   "+",
                                                   "=",
                                                   "\xce\xb4",
                                                   "\xf0\x9f\x93\xac",
                                                   "\xc2\x85",
                                                   "\xe2\x80\xa8",
                                                   "\xed\xa0\x80",
                                                   "\xe0\x80\x8a",
                                                   "\xff",
                                                   "\x1b]0;x\x07",
                                                   "%s%n",
                                                   "\t"};
    std::string text;
    const std::uint32_t pieces = below(8);
    for (std::uint32_t i = 0; i < pieces; ++i) {
      const std::uint32_t choice = below(40);
      if (choice < std::size(kPieces)) {
        text += kPieces[choice];
      } else if (choice < 38) {
        text += static_cast<char>(octet());
      } else {
        text.append(below(1200), choice == 38 ? 'x' : ' ');
      }
    }
    return text;
  }
  std::string type() {
    static constexpr std::string_view kTypes[] = {"rfc822", "utf-8", "dns", "x400", "RFC822"};
    const std::uint32_t choice = below(8);
    return choice < std::size(kTypes) ? std::string(kTypes[choice]) : text();
  }
  TimePoint time() {
    constexpr std::uint32_t kTwoCenturies = 4'000'000'000U;
    return TimePoint(Seconds(below(kTwoCenturies)));
  }
  Outcome outcome();
  TrackedMessage message();

 private:
  std::uint8_t octet() {
    if (octets_.empty()) {
      return 0;
    }
    const auto value = static_cast<std::uint8_t>(octets_.front());
    octets_.remove_prefix(1);
    return value;
  }

  std::string_view octets_;
};

inline Outcome ChoiceSource::outcome() {
  OutcomeFields fields;
  fields.action = static_cast<Action>(below(7));
  fields.status = {static_cast<std::uint8_t>(below(2) * 2 + 2),
                   static_cast<std::uint16_t>(below(1000)),
                   static_cast<std::uint16_t>(below(1000))};
  if (fields.action == Action::failed) {
    fields.status.status_class = static_cast<std::uint8_t>(4 + below(2));
  }
  if (fields.action == Action::relayed) {
    fields.status = kRelayedStatus;
  }
  if (yes()) {
    fields.remote_mta = MtaName{type(), text()};
  }
  if (yes()) {
    fields.last_attempt = time();
  }
  if (yes()) {
    fields.will_retry_until = time();
  }
  const Expected<Outcome> outcome = make_outcome(fields);
  return outcome ? *outcome : never_tried(fields.will_retry_until);
}

inline TrackedMessage ChoiceSource::message() {
  TrackedMessage message;
  message.reporting_mta = {type(), text()};
  message.arrival = time();
  message.utc_offset = Minutes(static_cast<int>(below(3000)) - 1500);
  const std::uint32_t recipients = below(5);
  for (std::uint32_t i = 0; i < recipients; ++i) {
    message.recipients.push_back({{type(), text()}, {type(), text()}, outcome(), yes()});
  }
  return message;
}

}  // namespace mtrk::testing

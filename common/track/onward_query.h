#pragma once

#include "common/base/expected.h"
#include "common/base/time.h"
#include "common/track/certifier.h"
#include "common/track/mtrk_param.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What mtrk-gate asks mtrk-milter of a message that leaves this host, and the answer (RFC 3885
// §3.3), with their form on the socket between the two. The gate knows the transaction, the milter
// has the store: it decides, so that a certifier reaches the gate only if it goes on.
namespace mtrk {

struct OnwardTransaction {
  std::string queue_id;  // empty: not told
  std::string sender;
  std::string envid;                           // plain, xtext; empty if there is none
  std::optional<TrackingCertifier> certifier;  // that ENVID was folded with; not if queue_id is
  struct Recipient {
    std::string address;
    std::string orcpt;  // the value as given, "rfc822;…"; empty if there is none
    bool operator==(const Recipient&) const = default;
  };
  std::vector<Recipient> recipients;
  bool takes_mtrk = true;  // the next hop announces it
  bool operator==(const OnwardTransaction&) const = default;
};

// A list with an owner sends in the owner's name (RFC 3461 §5.2.7).
[[nodiscard]] bool is_list_owner(std::string_view sender);

struct OnwardVerdict {
  enum class Kind : std::uint8_t {
    unknown,      // not tracked here: by far the most mail
    pass_on,      // with `mtrk` and `envid`
    withhold,     // tracked, and not passed on, because of `why`
    ask_again,    // the delivery log may say more in a moment
    unavailable,  // the store cannot be read now
  };
  enum class Why : std::uint8_t {
    none,
    other_message,
    mailing_list,  // nor may the envelope id go on
    not_taken,
    time_is_up,
    no_recipients,
    not_captured,
    expanded,
    redirection_is_final,
    redirection_unknown,
  };
  Kind kind = Kind::unknown;
  Why why = Why::none;
  std::string queue_id;  // by which the message is tracked; empty if unknown
  std::string envid;     // xtext
  std::optional<MtrkParam> mtrk;
  bool operator==(const OnwardVerdict&) const = default;
};
[[nodiscard]] std::string_view to_string(OnwardVerdict::Why why);  // for the log

// On the socket: frames of a be32 length, then so many octets: version, kind of frame, be32 number
// of the question, and what the kind needs, in fields of common/base/codec.h. The milter answers
// each question of a connection in its order. An empty question only asks whether it is there.
namespace onward_wire {

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::size_t kMostRecipients = 1000;
inline constexpr std::size_t kMaxFrame = std::size_t{1} << 20;

struct Question {
  std::uint32_t number = 0;
  std::chrono::milliseconds waited{0};  // since it was asked first
  std::optional<OnwardTransaction> about;
};
struct Answer {
  std::uint32_t number = 0;
  std::optional<OnwardVerdict> verdict;  // absent: to an empty question
};

// Appends a frame to `out`. False, and nothing appended, if it would be over kMaxFrame, or has more
// than kMostRecipients.
[[nodiscard]] bool put_question(std::string& out, const Question& question);
void put_answer(std::string& out, const Answer& answer);

// Takes the first frame off `in`; nothing if it is not there completely. Fails: over kMaxFrame.
[[nodiscard]] Expected<std::optional<std::string_view>> take_frame(std::string_view& in);
// A frame without its length. Total: any octets are a value or an Error (unsupported: another
// version; corrupt). Linear.
[[nodiscard]] Expected<Question> decode_question(std::string_view frame);
[[nodiscard]] Expected<Answer> decode_answer(std::string_view frame);

}  // namespace onward_wire
}  // namespace mtrk

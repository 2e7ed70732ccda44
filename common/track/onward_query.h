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

// When a message leaves this host, mtrk-gate asks mtrk-milter whether to pass its MTRK on (RFC 3885
// §3.3). This header defines the question, the answer and their encoding on the socket between the
// two. The gate knows the transaction and the milter has the store. The milter decides, so that a
// certifier reaches the gate only if it is to be passed on.
namespace mtrk {

struct OnwardTransaction {
  std::string queue_id;  // empty: unknown
  std::string sender;
  std::string envid;  // xtext without a fold; empty if there is none
  // Taken from the fold of ENVID; absent if queue_id is set.
  std::optional<TrackingCertifier> certifier;
  struct Recipient {
    std::string address;
    std::string orcpt;  // the value as given, like "rfc822;…"; empty if there is none
    bool operator==(const Recipient&) const = default;
  };
  std::vector<Recipient> recipients;
  bool takes_mtrk = true;  // the next hop announces MTRK
  bool operator==(const OnwardTransaction&) const = default;
};

// Returns whether `sender` is the owner of a mailing list, in whose name the list sends (RFC 3461
// §5.2.7).
[[nodiscard]] bool is_list_owner(std::string_view sender);

struct OnwardVerdict {
  enum class Kind : std::uint8_t {
    unknown,      // not tracked here; true of most mail
    pass_on,      // pass `mtrk` and `envid` on
    withhold,     // tracked, but not to be passed on, because of `why`
    ask_again,    // the delivery log may tell more in a moment
    unavailable,  // the store cannot be read at present
  };
  enum class Why : std::uint8_t {
    none,
    other_message,
    mailing_list,  // the envelope id must not be passed on either
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
  std::string queue_id;  // under which the message is tracked; empty if unknown
  std::string envid;     // xtext
  std::optional<MtrkParam> mtrk;
  bool operator==(const OnwardVerdict&) const = default;
};
[[nodiscard]] std::string_view to_string(OnwardVerdict::Why why);  // a word for the log

// A frame on the socket is a be32 length and that many octets: the version, the kind of frame, the
// number of the question (be32), and the data of that kind, in the fields of common/base/codec.h.
// The milter answers the questions of a connection in their order. An empty question only checks
// whether the milter is there.
namespace onward_wire {

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::size_t kMostRecipients = 1000;
inline constexpr std::size_t kMaxFrame = std::size_t{1} << 20;

struct Question {
  std::uint32_t number = 0;
  std::chrono::milliseconds waited{0};  // since the question was first asked
  std::optional<OnwardTransaction> about;
};
struct Answer {
  std::uint32_t number = 0;
  std::optional<OnwardVerdict> verdict;  // absent in the answer to an empty question
};

// Appends a frame to `out`. Returns false and appends nothing if the frame would be longer than
// kMaxFrame or have more than kMostRecipients recipients.
[[nodiscard]] bool put_question(std::string& out, const Question& question);
void put_answer(std::string& out, const Answer& answer);

// Removes the first frame from `in` and returns it without its length. Returns nothing if it is
// incomplete, and fails if it is longer than kMaxFrame.
[[nodiscard]] Expected<std::optional<std::string_view>> take_frame(std::string_view& in);
// Decode a frame without its length, in linear time. Any octets yield a value or an Error:
// `unsupported` for another version, otherwise `corrupt`.
[[nodiscard]] Expected<Question> decode_question(std::string_view frame);
[[nodiscard]] Expected<Answer> decode_answer(std::string_view frame);

}  // namespace onward_wire
}  // namespace mtrk

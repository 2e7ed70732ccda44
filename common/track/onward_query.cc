#include "common/track/onward_query.h"

#include "common/base/ascii.h"
#include "common/base/codec.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace mtrk {

bool is_list_owner(std::string_view sender) {
  const std::string_view local = sender.substr(0, sender.rfind('@'));
  constexpr std::string_view kRequest = "-request";
  return istarts_with(local, "owner-") ||
         (local.size() > kRequest.size() &&
          iequals(local.substr(local.size() - kRequest.size()), kRequest));
}

std::string_view to_string(OnwardVerdict::Why why) {
  using Why = OnwardVerdict::Why;
  switch (why) {
    case Why::none:
      return "";
    case Why::other_message:
      return "the queue id is another message's";
    case Why::mailing_list:
      return "a mailing list";
    case Why::not_taken:
      return "the next hop does not take it";
    case Why::time_is_up:
      return "its time is up";
    case Why::no_recipients:
      return "its recipients were not told";
    case Why::not_captured:
      return "a recipient that was not captured";
    case Why::expanded:
      return "expanded to several recipients";
    case Why::redirection_is_final:
      return "redirected, which is final here";
    case Why::redirection_unknown:
      return "redirected, and the log does not say to how many";
  }
  return "";
}

namespace onward_wire {
namespace {

enum class Frame : std::uint8_t { hello = 1, transaction = 2, here = 129, verdict = 130 };

constexpr std::size_t kLength = sizeof(std::uint32_t);
constexpr auto kLastKind = static_cast<std::uint8_t>(OnwardVerdict::Kind::unavailable);
constexpr auto kLastWhy = static_cast<std::uint8_t>(OnwardVerdict::Why::redirection_unknown);

void put_head(std::string& out, Frame frame, std::uint32_t number) {
  put_u32(out, 0);  // the length, which finish() sets
  put_u8(out, kVersion);
  put_u8(out, static_cast<std::uint8_t>(frame));
  put_u32(out, number);
}

void finish(std::string& out, std::size_t begin) {
  std::string length;
  put_u32(length, static_cast<std::uint32_t>(out.size() - begin - kLength));
  out.replace(begin, kLength, length);
}

struct Head {
  std::uint8_t frame = 0;
  std::uint32_t number = 0;
};
Expected<Head> take_head(std::string_view& in) {
  std::uint8_t version = 0;
  Head head;
  if (!get_u8(in, version)) {
    return fail(ErrorCode::corrupt, "an empty frame");
  }
  if (version != kVersion) {
    return fail(ErrorCode::unsupported, "another version of the look-up protocol");
  }
  if (!get_u8(in, head.frame) || !get_u32(in, head.number)) {
    return fail(ErrorCode::corrupt, "a frame without its head");
  }
  return head;
}

Unexpected corrupt() {
  return fail(ErrorCode::corrupt, "a frame with a field that cannot be");
}

bool get_string(std::string_view& in, std::string& text) {
  std::string_view view;
  if (!get_text(in, view)) {
    return false;
  }
  text = view;
  return true;
}

// A flag is one octet with the value 0 or 1.
bool get_flag(std::string_view& in, bool& flag) {
  std::uint8_t octet = 0;
  if (!get_u8(in, octet) || octet > 1) {
    return false;
  }
  flag = octet == 1;
  return true;
}

void put_certifier(std::string& out, const TrackingCertifier& certifier) {
  out.append(as_text(certifier.octets()));
}

bool get_certifier(std::string_view& in, std::optional<TrackingCertifier>& certifier) {
  Digest20 octets;
  if (in.size() < octets.size()) {
    return false;
  }
  std::transform(
      in.begin(), in.begin() + static_cast<std::ptrdiff_t>(octets.size()), octets.begin(),
      [](char c) { return static_cast<Digest20::value_type>(static_cast<unsigned char>(c)); });
  in.remove_prefix(octets.size());
  certifier = TrackingCertifier::from_octets(octets);
  return true;
}

bool get_transaction(std::string_view& in, OnwardTransaction& about) {
  bool folded = false;
  std::uint32_t recipients = 0;
  if (!get_string(in, about.queue_id) || !get_string(in, about.sender) ||
      !get_string(in, about.envid) || !get_flag(in, about.takes_mtrk) || !get_flag(in, folded) ||
      (folded && !get_certifier(in, about.certifier)) || !get_varint(in, recipients) ||
      recipients > kMostRecipients) {
    return false;
  }
  for (std::uint32_t i = 0; i < recipients; ++i) {
    OnwardTransaction::Recipient& added = about.recipients.emplace_back();
    if (!get_string(in, added.address) || !get_string(in, added.orcpt)) {
      return false;
    }
  }
  return in.empty();
}

bool get_verdict(std::string_view& in, OnwardVerdict& verdict) {
  std::uint8_t kind = 0;
  std::uint8_t why = 0;
  if (!get_u8(in, kind) || kind > kLastKind || !get_u8(in, why) || why > kLastWhy ||
      !get_string(in, verdict.queue_id)) {
    return false;
  }
  verdict.kind = static_cast<OnwardVerdict::Kind>(kind);
  verdict.why = static_cast<OnwardVerdict::Why>(why);
  if (verdict.kind != OnwardVerdict::Kind::pass_on) {
    return in.empty();
  }
  std::optional<TrackingCertifier> certifier;
  std::uint32_t seconds = 0;
  if (!get_string(in, verdict.envid) || verdict.envid.empty() ||
      !std::all_of(verdict.envid.begin(), verdict.envid.end(), is_vchar) ||
      !get_certifier(in, certifier) || !get_u32(in, seconds)) {
    return false;
  }
  verdict.mtrk = MtrkParam{*certifier, Seconds(seconds)};
  return in.empty();
}

}  // namespace

bool put_question(std::string& out, const Question& question) {
  const std::size_t begin = out.size();
  if (!question.about) {
    put_head(out, Frame::hello, question.number);
    finish(out, begin);
    return true;
  }
  const OnwardTransaction& about = *question.about;
  if (about.recipients.size() > kMostRecipients) {
    return false;
  }
  put_head(out, Frame::transaction, question.number);
  constexpr std::chrono::milliseconds::rep kMost = std::numeric_limits<std::uint16_t>::max();
  put_u16(out, static_cast<std::uint16_t>(
                   std::clamp<std::chrono::milliseconds::rep>(question.waited.count(), 0, kMost)));
  put_text(out, about.queue_id);
  put_text(out, about.sender);
  put_text(out, about.envid);
  put_u8(out, about.takes_mtrk ? 1 : 0);
  put_u8(out, about.certifier ? 1 : 0);
  if (about.certifier) {
    put_certifier(out, *about.certifier);
  }
  put_varint(out, static_cast<std::uint32_t>(about.recipients.size()));
  for (const OnwardTransaction::Recipient& recipient : about.recipients) {
    put_text(out, recipient.address);
    put_text(out, recipient.orcpt);
  }
  if (out.size() - begin - kLength > kMaxFrame) {
    out.resize(begin);
    return false;
  }
  finish(out, begin);
  return true;
}

void put_answer(std::string& out, const Answer& answer) {
  const std::size_t begin = out.size();
  put_head(out, answer.verdict ? Frame::verdict : Frame::here, answer.number);
  if (answer.verdict) {
    const OnwardVerdict& verdict = *answer.verdict;
    put_u8(out, static_cast<std::uint8_t>(verdict.kind));
    put_u8(out, static_cast<std::uint8_t>(verdict.why));
    put_text(out, verdict.queue_id);
    if (verdict.kind == OnwardVerdict::Kind::pass_on) {
      put_text(out, verdict.envid);
      put_certifier(out, verdict.mtrk->certifier);
      put_u32(out, static_cast<std::uint32_t>(verdict.mtrk->timeout.value_or(Seconds(0)).count()));
    }
  }
  finish(out, begin);
}

Expected<std::optional<std::string_view>> take_frame(std::string_view& in) {
  std::string_view rest = in;
  std::uint32_t length = 0;
  if (!get_u32(rest, length)) {
    return std::optional<std::string_view>();
  }
  if (length > kMaxFrame) {
    return fail(ErrorCode::too_long, "a frame of over a megabyte");
  }
  if (rest.size() < length) {
    return std::optional<std::string_view>();
  }
  in = rest.substr(length);
  return std::optional(rest.substr(0, length));
}

Expected<Question> decode_question(std::string_view frame) {
  const Expected<Head> head = take_head(frame);
  if (!head) {
    return Unexpected(head.error());
  }
  Question question;
  question.number = head->number;
  if (head->frame == static_cast<std::uint8_t>(Frame::hello)) {
    return frame.empty() ? Expected<Question>(std::move(question)) : corrupt();
  }
  std::uint16_t waited = 0;
  question.about.emplace();
  if (head->frame != static_cast<std::uint8_t>(Frame::transaction) || !get_u16(frame, waited) ||
      !get_transaction(frame, *question.about)) {
    return corrupt();
  }
  question.waited = std::chrono::milliseconds(waited);
  return question;
}

Expected<Answer> decode_answer(std::string_view frame) {
  const Expected<Head> head = take_head(frame);
  if (!head) {
    return Unexpected(head.error());
  }
  Answer answer;
  answer.number = head->number;
  if (head->frame == static_cast<std::uint8_t>(Frame::here)) {
    return frame.empty() ? Expected<Answer>(std::move(answer)) : corrupt();
  }
  answer.verdict.emplace();
  if (head->frame != static_cast<std::uint8_t>(Frame::verdict) ||
      !get_verdict(frame, *answer.verdict)) {
    return corrupt();
  }
  return answer;
}

}  // namespace onward_wire
}  // namespace mtrk

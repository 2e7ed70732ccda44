#pragma once

#include "milter/ctl/finding.h"

#include <optional>
#include <string>
#include <vector>

// What became of a recipient and why, as `mtrkctl explain` says it to people and in JSON.
namespace mtrk {

struct Fate {
  Action action = Action::opaque;
  EnhancedStatus status{2, 0, 0};
  std::string remote_mta;  // empty if no other host took part
  std::optional<TimePoint> last_attempt, will_retry_until;
};

// An address that an alias or a list stands for. The administrator may see it; TRACK may not.
struct Member {
  std::string address;
  Fate fate;
  std::string words;  // what was said about it, if that is more than the fate
};

struct Account {
  Finding finding;
  std::optional<Fate> fate;  // nothing for a stranger
  std::string reason;        // "it was refused for good"; may hold what the log says, as it is
  std::string words;         // the other side's, or this host's agent's, that the reason is about
  std::vector<std::string> notes;  // further sentences
  std::vector<Member> members;     // of an expansion, as far as the log knows
  std::vector<std::string> via;    // queue ids that were followed, the first is the message's
  std::vector<const Story::Line*> lines;
  bool open = false;  // it may change: a longer log may know more
};

[[nodiscard]] Account account_of(const Finding& finding,
                                 const StoryTeller& teller,
                                 const maillog::TracePolicy& policy);

// What the head of a message says of it beside the queue id and the host.
struct Particulars {
  std::optional<std::string> sender;
  std::optional<std::uint64_t> size;  // octets
  std::optional<std::uint32_t> recipients;
  std::string client;  // empty if it was made here
  std::string origin;  // "received from client.example.net[192.0.2.7]"; empty if not known
  std::string message_id;
  std::optional<LogTime> arrival;  // the first line that shows it being taken in
};
[[nodiscard]] Particulars particulars_of(const Message& message);

// Why there is nothing to tell of a queue id: one sentence.
[[nodiscard]] std::string why_unknown(std::string_view queue_id,
                                      const StoryTeller::Messages& messages);

}  // namespace mtrk

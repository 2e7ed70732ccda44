#pragma once

#include "milter/ctl/finding.h"

#include <optional>
#include <string>
#include <vector>

// An Account says what became of a recipient and why. `mtrkctl explain` shows it to people and
// prints it as JSON.
namespace mtrk {

struct Fate {
  Action action = Action::opaque;
  EnhancedStatus status{2, 0, 0};
  std::string remote_mta;  // empty if no other host took part
  std::optional<TimePoint> last_attempt, will_retry_until;
};

// A Member is an address that an alias or a list stands for. The administrator may see it, but
// TRACK never shows it.
struct Member {
  std::string address;
  Fate fate;
  std::string words;  // what was said about it, if that is more than the fate
};

struct Account {
  Finding finding;
  std::optional<Fate> fate;  // empty for a stranger
  std::string reason;        // "it was refused for good"; may contain unescaped log text
  std::string words;         // of the other side or of this host's agent, on which the reason rests
  std::vector<std::string> notes;  // further sentences
  std::vector<Member> members;     // of an expansion, as far as the log knows them
  std::vector<std::string> via;    // the queue ids that were followed, the message's first
  std::vector<const Story::Line*> lines;
  bool open = false;  // it may change, because a longer log may say more
};

[[nodiscard]] Account account_of(const Finding& finding,
                                 const StoryTeller& teller,
                                 const maillog::TracePolicy& policy);

// Particulars are what the heading of a message says about it besides the queue id and the host.
struct Particulars {
  std::optional<std::string> sender;
  std::optional<std::uint64_t> size;  // octets
  std::optional<std::uint32_t> recipients;
  std::string client;  // empty if the message was made here
  std::string origin;  // "received from client.example.net[192.0.2.7]"; empty if unknown
  std::string message_id;
  std::optional<LogTime> arrival;  // time of the first line that shows the message being accepted
};
[[nodiscard]] Particulars particulars_of(const Message& message);

// Returns one sentence that says why nothing is known about a queue id.
[[nodiscard]] std::string why_unknown(std::string_view queue_id,
                                      const StoryTeller::Messages& messages);

}  // namespace mtrk

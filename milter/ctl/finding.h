#pragma once

#include "milter/ctl/story.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Which of the messages and recipients that a log knows is the one that somebody asks for. People
// ask by the address they know: that of the mailbox, of a contact, "Bob <bob@example.org>".
namespace mtrk {

enum class Standing {
  recipient,   // as it was given at RCPT
  target,      // a line shows that the recipient's mail was sent there
  local_part,  // of the only recipient that has it
  possible,    // the log does not name all recipients: it may be one of the others
  stranger,    // the log names all recipients, and it is none of them
  declined,    // refused at RCPT
};

struct Finding {
  const Message* message = nullptr;
  Standing standing = Standing::possible;
  const Story* story = nullptr;  // whose trace has the recipient; null for a stranger
  std::size_t recipient = 0;     // index into it
  std::string name;    // whose fate it is: the recipient's name; empty if the log names none
  std::string target;  // of standing target: the address that it was sent to
};

// The address in what a person wrote: without blanks at the ends and a name before brackets, and of
// "<@hop:user@host>" and the like, as RCPT may give it, what RCPT means.
[[nodiscard]] std::string address_in(std::string_view written);

// What a message has to say to somebody who asks for that address.
[[nodiscard]] Finding find_recipient(const Message& message, const std::string& address);
// What the messages that had a queue id have to say: of those that know the recipient, or else of
// those that may, or else of all.
[[nodiscard]] std::vector<Finding> find_recipient(const StoryTeller::Messages& messages,
                                                  const std::string& address);
// All recipients that the log names. Nothing for a message that was not taken.
[[nodiscard]] std::vector<Finding> find_all(const Message& message);
// One without a name, for a message whose recipients the log does not name. `whole` is
// Message::whole(), and outlives the finding.
[[nodiscard]] Finding find_unnamed(const Message& message, const Story& whole);

// The recipients that the log names: indexes into Message::named.
[[nodiscard]] std::vector<std::size_t> named_recipients(const Message& message);

// Whether a line is told with what became of a recipient, whose queue ids are `via`: with one of
// several addresses behind it, too.
[[nodiscard]] bool is_about(const Story::Line& line,
                            const Story& story,
                            std::size_t recipient,
                            const std::vector<std::string>& via);

// Whether the log shows that it was taken: more than that a client began it.
[[nodiscard]] bool is_taken(const Message& message);

// How many recipients the queue manager counted; nothing if it is not in the log. With Postfix
// after the expansion of virtual aliases.
[[nodiscard]] std::optional<std::uint32_t> counted_recipients(const Message& message);
// How many of these the log does not name; nothing if it is not known how many there are.
[[nodiscard]] std::optional<std::uint32_t> unnamed_recipients(const Message& message);

}  // namespace mtrk

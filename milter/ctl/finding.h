#pragma once

#include "milter/ctl/story.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// These functions find the message and the recipient that a person asks for, among those that a log
// knows. People ask by the address they know: that of the mailbox, that of a contact, or "Bob
// <bob@example.org>".
namespace mtrk {

enum class Standing {
  recipient,   // the address is as it was given at RCPT
  target,      // a line shows that the recipient's mail was sent there
  local_part,  // it is the local part of exactly one recipient
  possible,    // it may be a recipient that the log does not name
  stranger,    // the log names all recipients, and it is none of them
  declined,    // it was refused at RCPT
};

struct Finding {
  const Message* message = nullptr;
  Standing standing = Standing::possible;
  const Story* story = nullptr;  // the one whose trace has the recipient; null for a stranger
  std::size_t recipient = 0;     // index into that trace
  std::string name;              // the recipient whose fate it is; empty if the log names none
  std::string target;            // the address that the mail was sent to, for Standing::target
};

// Returns the address in what a person wrote, without a name before brackets and without blanks at
// the ends. From "<@hop:user@host>" and the like it returns what RCPT means by it.
[[nodiscard]] std::string address_in(std::string_view written);

// Returns what a message can answer about that address.
[[nodiscard]] Finding find_recipient(const Message& message, const std::string& address);
// Returns the answers of the messages that had a queue id. Only messages that know the recipient
// answer; if none does, those that may have it answer; if there are none either, all of them
// answer.
[[nodiscard]] std::vector<Finding> find_recipient(const StoryTeller::Messages& messages,
                                                  const std::string& address);
// Returns all recipients that the log names, and nothing for a message that was not accepted.
[[nodiscard]] std::vector<Finding> find_all(const Message& message);
// Returns a finding without a name, for a message whose recipients the log does not name. `whole`
// is Message::whole() and must outlive the finding.
[[nodiscard]] Finding find_unnamed(const Message& message, const Story& whole);

// Returns the recipients that the log names, as indexes into Message::named.
[[nodiscard]] std::vector<std::size_t> named_recipients(const Message& message);

// Returns whether a line is shown with the fate of a recipient whose queue ids are `via`. This
// includes lines about one of several addresses that the recipient stands for.
[[nodiscard]] bool is_about(const Story::Line& line,
                            const Story& story,
                            std::size_t recipient,
                            const std::vector<std::string>& via);

// Returns whether the log shows that the message was accepted, and not only that a client began it.
[[nodiscard]] bool is_taken(const Message& message);

// Returns how many recipients the queue manager counted, or nothing if the log does not say.
// Postfix counts them after it has expanded virtual aliases.
[[nodiscard]] std::optional<std::uint32_t> counted_recipients(const Message& message);
// Returns how many of these the log does not name, or nothing if their number is unknown.
[[nodiscard]] std::optional<std::uint32_t> unnamed_recipients(const Message& message);

}  // namespace mtrk

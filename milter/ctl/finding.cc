#include "milter/ctl/finding.h"

#include "common/base/ascii.h"
#include "common/maillog/attempt_meaning.h"
#include "common/track/address.h"

#include <algorithm>
#include <set>
#include <utility>

namespace mtrk {
namespace {

using maillog::Attempt;
using maillog::match_key;
using maillog::Queued;
using maillog::trace::Basis;

std::string_view local_part_of_address(std::string_view address) {
  return address.substr(0, address.rfind('@'));
}

// Returns whether any log line is about that recipient.
bool is_evidenced(const Story& story, std::size_t recipient) {
  const bool named =
      std::any_of(story.lines.begin(), story.lines.end(), [&](const Story::Line& line) {
        return line.personal() && std::find(line.recipients.begin(), line.recipients.end(),
                                            recipient) != line.recipients.end();
      });
  return named || story.trace.basis(recipient) != Basis::record;
}

bool is_of_root(const Story& story, const maillog::DeliveryEvent& event) {
  // A requeued message has further ids, whose attempts name the same recipients.
  return event.queue_id == story.trace.root();
}

// Returns whether an attempt names that recipient as the one it was for. A hostile address can make
// a line look like that, but the trace reads the line with knowledge of the recipients, so it
// decides.
bool says_whose(const Story::Line& line, const Story& story, std::size_t recipient) {
  const Attempt& attempt = std::get<Attempt>(line.event().what);
  return line.event().mta == Mta::sendmail || !is_of_root(story, line.event()) ||
         (!attempt.original.empty() &&
          match_key(attempt.original) == match_key(story.trace.recipients()[recipient]));
}

// Returns the recipient whose mail was sent to that address according to an attempt.
std::optional<std::size_t> find_by_target(const Story& story, const std::string& key) {
  for (const Story::Line& line : story.lines) {
    const Attempt* attempt = std::get_if<Attempt>(&line.event().what);
    if (attempt == nullptr || match_key(attempt->recipient) != key) {
      continue;
    }
    if (!line.recipients.empty()) {
      if (says_whose(line, story, line.recipients.front())) {
        return line.recipients.front();
      }
      continue;
    }
    for (std::size_t i = 0; i < story.trace.recipients().size(); ++i) {
      if (is_about(line, story, i, story.trace.via(i))) {
        return i;
      }
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> find_by_local_part(const Message& message, const std::string& address) {
  const auto recipients = message.named.trace.recipients();
  std::optional<std::size_t> found;
  for (const std::size_t i : named_recipients(message)) {
    if (iequals(local_part_of_address(recipients[i]), address)) {
      if (found) {
        return std::nullopt;
      }
      found = i;
    }
  }
  return found;
}

// Returns how little a message has to do with what was asked.
unsigned distance(const Finding& finding) {
  switch (finding.standing) {
    case Standing::recipient:
    case Standing::target:
    case Standing::local_part:
      return 0;
    case Standing::possible:
      return 1;
    case Standing::declined:
      return 2;
    case Standing::stranger:
      break;
  }
  return 3;
}

}  // namespace

std::string address_in(std::string_view written) {
  std::string_view text = trim(written);
  const std::size_t open = text.rfind('<');
  if (!text.empty() && text.back() == '>' && open != std::string_view::npos && open > 0 &&
      (is_wsp(text[open - 1]) || text[open - 1] == '"')) {
    text = text.substr(open);
  }
  const bool path = !text.empty() && (text[0] == '<' || text[0] == '@');
  return path ? address_from_rcpt(text).value : std::string(text);
}

bool is_about(const Story::Line& line,
              const Story& story,
              std::size_t recipient,
              const std::vector<std::string>& via) {
  const std::string_view queue_id = line.event().queue_id;
  const bool followed = std::find(via.begin(), via.end(), queue_id) != via.end();
  const Attempt* attempt = std::get_if<Attempt>(&line.event().what);
  if (!line.personal()) {
    return followed;
  }
  if (!line.recipients.empty()) {
    return std::find(line.recipients.begin(), line.recipients.end(), recipient) !=
           line.recipients.end();
  }
  // The trace ignores further members once it knows of several.
  return attempt != nullptr &&
         ((followed && queue_id != story.trace.root()) ||
          (!attempt->original.empty() &&
           match_key(attempt->original) == match_key(story.trace.recipients()[recipient])));
}

std::optional<std::uint32_t> counted_recipients(const Message& message) {
  std::optional<std::uint32_t> counted;
  for (const Story::Line& line : message.named.lines) {
    if (const Queued* queued = std::get_if<Queued>(&line.event().what);
        queued != nullptr && is_of_root(message.named, line.event())) {
      counted = std::max(counted.value_or(0), queued->recipients);
    }
  }
  return counted;
}

std::optional<std::uint32_t> unnamed_recipients(const Message& message) {
  const std::optional<std::uint32_t> counted = counted_recipients(message);
  if (!counted) {
    return std::nullopt;
  }
  // The queue manager counts the addresses to which aliases lead. Each of these has attempts of its
  // own.
  std::set<std::pair<std::string, std::string>> tried;
  std::size_t named = named_recipients(message).size();
  for (const Story::Line& line : message.named.lines) {
    const Attempt* attempt = std::get_if<Attempt>(&line.event().what);
    if (attempt != nullptr && line.event().mta == Mta::postfix &&
        is_of_root(message.named, line.event())) {
      tried.emplace(match_key(attempt->recipient), match_key(attempt->original));
    }
  }
  named = std::max(named, tried.size());
  return named >= *counted ? 0 : *counted - static_cast<std::uint32_t>(named);
}

bool is_taken(const Message& message) {
  return message.named.trace.seen() && !message.named.trace.refused();
}

std::vector<std::size_t> named_recipients(const Message& message) {
  std::vector<std::size_t> named;
  for (std::size_t i = 0; i < message.named.trace.recipients().size(); ++i) {
    if (i >= message.given || is_evidenced(message.named, i)) {
      named.push_back(i);
    }
  }
  return named;
}

Finding find_recipient(const Message& message, const std::string& address) {
  const Story& story = message.story_of_asked();
  const Story& named = message.named;
  Finding finding{&message, Standing::possible, nullptr, 0, address, {}};
  if (const auto index = story.trace.find_recipient(address)) {
    finding.story = &story;
    finding.recipient = *index;
    if (story.trace.declined(*index)) {
      finding.standing = Standing::declined;
      return finding;
    }
    if (is_evidenced(story, *index) || (message.asked && named.trace.find_recipient(address))) {
      finding.standing = Standing::recipient;
      return finding;
    }
  }
  const auto other = [&](std::size_t recipient, Standing standing) {
    finding.standing = standing;
    finding.story = &named;
    finding.recipient = recipient;
    finding.name = named.trace.recipients()[recipient];
    finding.target = standing == Standing::target ? address : std::string();
    return finding;
  };
  if (const auto index = find_by_target(named, match_key(address))) {
    return other(*index, Standing::target);
  }
  if (address.find('@') == std::string::npos) {
    if (const auto index = find_by_local_part(message, address)) {
      return other(*index, Standing::local_part);
    }
  }
  if (unnamed_recipients(message) == 0U && !named_recipients(message).empty()) {
    finding.standing = Standing::stranger;
    finding.story = nullptr;
  }
  return finding;
}

std::vector<Finding> find_recipient(const StoryTeller::Messages& messages,
                                    const std::string& address) {
  std::vector<Finding> findings;
  for (const std::unique_ptr<Message>& message : messages) {
    if (!is_taken(*message)) {
      continue;
    }
    Finding finding = find_recipient(*message, address);
    if (!findings.empty() && distance(finding) < distance(findings.front())) {
      findings.clear();
    }
    if (findings.empty() || distance(finding) == distance(findings.front())) {
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

std::vector<Finding> find_all(const Message& message) {
  std::vector<Finding> findings;
  if (!is_taken(message)) {
    return findings;
  }
  const auto recipients = message.named.trace.recipients();
  for (const std::size_t i : named_recipients(message)) {
    if (!message.named.trace.declined(i)) {
      findings.push_back({&message, Standing::recipient, &message.named, i, recipients[i], {}});
    }
  }
  return findings;
}

Finding find_unnamed(const Message& message, const Story& whole) {
  return {&message, Standing::recipient, &whole, 0, {}, {}};
}

}  // namespace mtrk

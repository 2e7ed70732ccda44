#include "milter/ctl_story.h"

#include "common/maillog/postfix_log.h"

#include <algorithm>

namespace mtrk {

using maillog::Attempt;
using maillog::DeliveryEvent;
using maillog::DeliveryTrace;
using maillog::HeldEvents;
using maillog::Ignored;
using maillog::LogLine;
using maillog::origin_of;
using maillog::OwnedEvent;
using maillog::parse_postfix;
using maillog::ParsedLine;
using maillog::Recipients;
using maillog::split_log_line;
using maillog::StampContext;
using maillog::TracePolicy;

std::vector<const Story::Line*> Story::lines_of(std::size_t recipient) const {
  const std::vector<std::string> via = trace.via(recipient);
  std::vector<const Line*> result;
  for (const Line& line : lines) {
    const bool belongs = line.attempt
                             ? std::find(line.recipients.begin(), line.recipients.end(),
                                         recipient) != line.recipients.end()
                             : std::find(via.begin(), via.end(), line.queue_id) != via.end();
    if (belongs) {
      result.push_back(&line);
    }
  }
  return result;
}

StoryTeller::StoryTeller(TracePolicy policy) : policy_(policy), held_(policy.filters, {}) {}

void StoryTeller::ask(const QueueId& queue_id,
                      std::vector<std::string> recipients,
                      Recipients mode) {
  stories_.push_back(
      std::make_unique<Story>(DeliveryTrace(queue_id, std::nullopt, std::move(recipients), mode)));
  Story* story = stories_.back().get();
  asked_[queue_id.text()] = story;
  owners_[queue_id.text()].push_back(story);
}

const Story* StoryTeller::find(std::string_view queue_id) const {
  const auto it = asked_.find(std::string(queue_id));
  return it == asked_.end() ? nullptr : it->second;
}

void StoryTeller::read(const DeliveryEvent& event,
                       std::string_view line,
                       const StampContext& stamps) {
  std::vector<Story*> owners;
  if (const auto it = owners_.find(std::string(event.queue_id)); it != owners_.end()) {
    owners = it->second;
  }
  const std::string_view origin = origin_of(event);
  if (const auto it = owners_.find(std::string(origin)); !origin.empty() && it != owners_.end()) {
    for (Story* story : it->second) {
      if (std::find(owners.begin(), owners.end(), story) == owners.end()) {
        owners.push_back(story);
      }
    }
  }
  held_.note(event, owners.empty() ? HeldEvents::Keep::event : HeldEvents::Keep::identity, line);
  for (Story* story : owners) {
    apply(*story, event, line, stamps);
  }
}

void StoryTeller::apply(Story& story,
                        const DeliveryEvent& event,
                        std::string_view line,
                        const StampContext& stamps) {
  DeliveryTrace::Applied applied = story.trace.apply(event, policy_, held_);
  const bool attempt = std::holds_alternative<Attempt>(event.what);
  if (!attempt || !applied.changed.empty()) {
    story.lines.push_back({std::string(event.queue_id), std::string(line), stamps, attempt,
                           std::move(applied.changed)});
  }
  for (const std::string& queue_id : applied.joined) {
    owners_[queue_id].push_back(&story);
    tell_past(story, queue_id, stamps);
  }
}

// What was logged of a queue id before it was known to belong to the story: held, or already part
// of another story.
void StoryTeller::tell_past(Story& story, const std::string& queue_id, const StampContext& stamps) {
  for (Story* other : std::vector<Story*>(owners_[queue_id])) {
    if (other == &story) {
      continue;
    }
    for (const Story::Line& line : other->lines) {
      if (line.queue_id != queue_id) {
        continue;
      }
      const std::optional<LogLine> parts = split_log_line(line.text, line.stamps);
      const ParsedLine parsed = parts ? parse_postfix(*parts) : Ignored{};
      if (const DeliveryEvent* event = std::get_if<DeliveryEvent>(&parsed)) {
        apply(story, *event, line.text, line.stamps);
      }
    }
    break;
  }
  for (const OwnedEvent& past : held_.take(queue_id)) {
    apply(story, past.event(), past.line(), stamps);
  }
  for (const std::string& child : held_.children_of(queue_id)) {
    for (const OwnedEvent& past : held_.take(child)) {
      apply(story, past.event(), past.line(), stamps);
    }
  }
}

}  // namespace mtrk

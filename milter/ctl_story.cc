#include "milter/ctl_story.h"

#include <algorithm>

namespace mtrk {

using maillog::Attempt;
using maillog::DeliveryEvent;
using maillog::DeliveryTrace;
using maillog::HeldEvents;
using maillog::origin_of;
using maillog::OwnedEvent;
using maillog::Recipients;
using maillog::Redirection;
using maillog::TracePolicy;

bool Story::Line::personal() const {
  return std::holds_alternative<Attempt>(event().what) ||
         std::holds_alternative<Redirection>(event().what);
}

std::vector<const Story::Line*> Story::lines_of(std::size_t recipient) const {
  const std::vector<std::string> via = trace.via(recipient);
  std::vector<const Line*> result;
  for (const Line& line : lines) {
    const bool belongs =
        line.personal() ? std::find(line.recipients.begin(), line.recipients.end(), recipient) !=
                              line.recipients.end()
                        : std::find(via.begin(), via.end(), line.event().queue_id) != via.end();
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

void StoryTeller::read(const DeliveryEvent& event, std::string_view line) {
  std::vector<Story*> owners;
  if (const auto it = owners_.find(std::string(event.queue_id)); it != owners_.end()) {
    owners = it->second;
  }
  const std::string_view origin = origin_of(event);
  if (const auto it = owners_.find(std::string(origin)); !origin.empty() && it != owners_.end()) {
    for (Story* parent : it->second) {
      if (std::find(owners.begin(), owners.end(), parent) == owners.end()) {
        owners.push_back(parent);
      }
    }
  }
  held_.note(event, owners.empty() ? HeldEvents::Keep::event : HeldEvents::Keep::identity, line);
  if (owners.empty()) {
    return;
  }
  const Said said = std::make_shared<const OwnedEvent>(event, line);
  for (Story* story : owners) {
    apply(*story, event, said);
  }
}

void StoryTeller::apply(Story& story, const DeliveryEvent& event, const Said& said) {
  DeliveryTrace::Applied applied = story.trace.apply(event, policy_, held_);
  Story::Line line{said, std::move(applied.changed)};
  if (!line.personal() || !line.recipients.empty()) {
    story.lines.push_back(std::move(line));
  }
  for (const std::string& queue_id : applied.joined) {
    owners_[queue_id].push_back(&story);
    tell_past(story, queue_id);
  }
}

// What was logged of a queue id before it was known to belong to the story: held, or already part
// of another story.
void StoryTeller::tell_past(Story& story, const std::string& queue_id) {
  for (Story* other : std::vector<Story*>(owners_[queue_id])) {
    if (other == &story) {
      continue;
    }
    for (std::size_t i = 0; i < other->lines.size(); ++i) {
      const Said said = other->lines[i].said;
      if (said->event().queue_id == queue_id) {
        apply(story, said->event(), said);
      }
    }
    break;
  }
  for (OwnedEvent& past : held_.take(queue_id).events) {
    const Said said = std::make_shared<const OwnedEvent>(std::move(past));
    apply(story, said->event(), said);
  }
  for (const HeldEvents::Child& child : held_.children_of(queue_id)) {
    for (OwnedEvent& past : held_.take(child.queue_id, child.space).events) {
      const Said said = std::make_shared<const OwnedEvent>(std::move(past));
      apply(story, said->event(), said);
    }
  }
}

}  // namespace mtrk

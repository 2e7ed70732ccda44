#include "milter/ctl/story.h"

#include <algorithm>
#include <functional>

namespace mtrk {

using maillog::Attempt;
using maillog::Client;
using maillog::DeliveryEvent;
using maillog::DeliveryTrace;
using maillog::HeldEvents;
using maillog::MessageId;
using maillog::origin_of;
using maillog::OwnedEvent;
using maillog::Pickup;
using maillog::Queued;
using maillog::QueueSpace;
using maillog::Recipients;
using maillog::Redirection;
using maillog::Removed;
using maillog::TracePolicy;

namespace {

constexpr std::size_t kRecent = std::size_t{1} << 16;  // must be a power of two

std::string_view logs_under(const DeliveryEvent& event) {
  return event.program.substr(0, event.program.find('/'));
}

// Returns whether the event is logged once for each queue file of Postfix, by the program that made
// the file for a client.
bool opens(const DeliveryEvent& event) {
  return std::holds_alternative<Client>(event.what) || std::holds_alternative<Pickup>(event.what);
}

// Returns whether Postfix logs the event early in the life of a message and never after it has left
// the queue. Sendmail does not reuse an id.
bool begins(const DeliveryEvent& event) {
  return event.mta == Mta::postfix &&
         (opens(event) || std::holds_alternative<MessageId>(event.what) ||
          std::holds_alternative<Queued>(event.what));
}

void add_once(Story* story, std::vector<Story*>& stories) {
  if (std::find(stories.begin(), stories.end(), story) == stories.end()) {
    stories.push_back(story);
  }
}

bool names_new_message(const DeliveryEvent& event) {
  return opens(event) || (event.mta == Mta::sendmail && std::holds_alternative<Queued>(event.what));
}

}  // namespace

bool Story::Line::personal() const {
  return std::holds_alternative<Attempt>(event().what) ||
         std::holds_alternative<Redirection>(event().what);
}

std::vector<const Story::Line*> Story::lines_of(std::size_t recipient,
                                                const std::vector<std::string>& via) const {
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

Message::Message(const QueueId& queue_id, const std::vector<std::string>& recipients, Mta mta)
    : named(DeliveryTrace(queue_id,
                          std::nullopt,
                          mta == Mta::postfix ? recipients : std::vector<std::string>(),
                          Recipients::collect)),
      given(named.trace.recipients().size()) {
  if (mta == Mta::sendmail && !recipients.empty()) {
    asked.emplace(DeliveryTrace(queue_id, std::nullopt, recipients, Recipients::captured));
  }
}

std::unique_ptr<const Story> Message::whole(const TracePolicy& policy) const {
  const std::optional<QueueId> root = QueueId::parse(named.trace.root());
  auto story = std::make_unique<Story>(
      DeliveryTrace(*root, std::nullopt, {std::string()}, Recipients::captured));
  for (const Story::Line& line : named.lines) {
    // A recipient without a name is not followed to another queue id, so no evidence is needed.
    const DeliveryTrace::Applied applied =
        story->trace.apply(line.event(), policy, DeliveryTrace::Evidence(), line.space);
    story->lines.push_back({line.said, applied.changed, line.space});
  }
  return story;
}

StoryTeller::StoryTeller(TracePolicy policy)
    : policy_(policy), held_(policy.filters, {}), recent_(kRecent) {}

void StoryTeller::ask(const QueueId& queue_id, std::vector<std::string> recipients) {
  questions_.push_back(std::make_unique<Question>(Question{queue_id, std::move(recipients), {}}));
  owners_[queue_id.text()].question = questions_.back().get();
}

const StoryTeller::Messages* StoryTeller::find(std::string_view queue_id) const {
  const auto it = owners_.find(std::string(queue_id));
  return it == owners_.end() || it->second.question == nullptr ? nullptr
                                                               : &it->second.question->messages;
}

bool StoryTeller::is_recent(std::string_view queue_id) const {
  const std::uint64_t hash = std::hash<std::string_view>()(queue_id);
  return hash != 0 && recent_[hash & (kRecent - 1)] == hash;
}

void StoryTeller::note_recent(const DeliveryEvent& event) {
  const std::uint64_t hash = std::hash<std::string_view>()(event.queue_id);
  recent_[hash & (kRecent - 1)] = hash;
}

Message* StoryTeller::add_message(Question& question, Mta mta) {
  question.messages.push_back(
      std::make_unique<Message>(question.queue_id, question.recipients, mta));
  return question.messages.back().get();
}

// Returns the message with this id that an event is about, or null if the event says nothing new.
Message* StoryTeller::message_for(Question& question,
                                  const DeliveryEvent& event,
                                  const QueueSpace& space) {
  Message* found = nullptr;
  for (const std::unique_ptr<Message>& message : question.messages) {
    const bool fits = !message->over && message->space.same_queue(space);
    if (fits && (found == nullptr || message->opened_by == logs_under(event))) {
      found = message.get();
    }
  }
  if (found == nullptr) {
    return add_message(question, event.mta);
  }
  if (found->removed && begins(event)) {
    if (event.at <= *found->removed) {
      return found->opened ? nullptr : found;  // it was read twice, or is out of order
    }
    found->over = true;
    return add_message(question, event.mta);
  }
  if (found->opened && opens(event)) {
    // A queue does not reuse an id that is in use. So the event is about another queue, or the end
    // of the first message was not logged.
    if (found->opened_by != logs_under(event)) {
      return add_message(question, event.mta);
    }
    if (event.at <= *found->opened) {
      return nullptr;
    }
    found->over = true;
    return add_message(question, event.mta);
  }
  return found;
}

void StoryTeller::find_owners(const DeliveryEvent& event,
                              const QueueSpace& space,
                              std::vector<Story*>& owners) {
  const auto known = owners_.find(std::string(event.queue_id));
  if (known != owners_.end()) {
    if (Question* question = known->second.question) {
      if (Message* message = message_for(*question, event, space)) {
        message->space.learn(space);
        if (message->host.empty()) {
          message->host = event.host;
        }
        if (message->instance.empty() && message->space.instance != 0 && space.instance != 0) {
          message->instance = logs_under(event);
        }
        if (opens(event)) {
          message->opened = event.at;
          message->opened_by = logs_under(event);
        } else if (std::holds_alternative<Removed>(event.what)) {
          message->removed = event.at;
        }
        owners.push_back(&message->named);
        if (message->asked) {
          owners.push_back(&*message->asked);
        }
      }
    }
    for (Story* story : known->second.stories) {
      if (story->trace.has(event.queue_id, space)) {
        owners.push_back(story);
      }
    }
    for (Story* story : known->second.offered) {
      add_once(story, owners);
    }
  }
  if (const MessageId* id = std::get_if<MessageId>(&event.what); id != nullptr && !watch_.empty()) {
    for (Story* waiting : watch_.expecting(maillog::message_id_hash(id->message_id))) {
      add_once(waiting, owners);
    }
    static_cast<void>(watch_.expire(event.at));
  }
  const std::string_view origin = origin_of(event);
  if (origin.empty()) {
    return;
  }
  const auto parents = owners_.find(std::string(origin));
  if (parents == owners_.end()) {
    return;
  }
  const auto add = [&](Story* parent) {
    if (parent->trace.has(origin, space.any_instance())) {
      add_once(parent, owners);
    }
  };
  std::for_each(parents->second.stories.begin(), parents->second.stories.end(), add);
  if (parents->second.question != nullptr) {
    for (const std::unique_ptr<Message>& message : parents->second.question->messages) {
      if (!message->over) {
        add(&message->named);
        if (message->asked) {
          add(&*message->asked);
        }
      }
    }
  }
}

void StoryTeller::read(const DeliveryEvent& event, std::string_view line) {
  until_ = std::max(until_.value_or(event.at), event.at);
  const QueueSpace space = spaces_.of(event);
  std::vector<Story*> owners;
  find_owners(event, space, owners);
  held_.note(event, owners.empty() ? HeldEvents::Keep::event : HeldEvents::Keep::identity, line,
             space);
  if (names_new_message(event)) {
    note_recent(event);
  }
  if (owners.empty()) {
    return;
  }
  const Story::Line said{std::make_shared<const OwnedEvent>(event, line), {}, space};
  for (Story* story : owners) {
    // What the line offers beyond the copy helps the trace.
    apply(*story, event, said);
  }
}

void StoryTeller::apply(Story& story, const DeliveryEvent& event, const Story::Line& said) {
  DeliveryTrace::Applied applied = story.trace.apply(event, policy_, held_, said.space);
  story.lines.push_back({said.said, std::move(applied.changed), said.space});
  if (applied.expected != 0) {
    watch_.expect(applied.expected, &story, event.at);
  }
  for (const std::string& queue_id : applied.joined) {
    Owner& owner = owners_[queue_id];
    std::erase(owner.offered, &story);
    if (std::find(owner.stories.begin(), owner.stories.end(), &story) == owner.stories.end()) {
      owner.stories.push_back(&story);
      tell_past(story, queue_id);
    }
  }
  for (const std::string& queue_id : applied.offered) {
    Owner& owner = owners_[queue_id];
    if (std::find(owner.offered.begin(), owner.offered.end(), &story) == owner.offered.end() &&
        std::find(owner.stories.begin(), owner.stories.end(), &story) == owner.stories.end()) {
      owner.offered.push_back(&story);
      tell_past(story, queue_id);
    }
  }
}

// Applies what was logged about a queue id before it was known to belong to the story. That is
// held, or is part of another story already.
void StoryTeller::tell_past(Story& story, const std::string& queue_id) {
  const QueueSpace space = story.trace.space_of(queue_id);
  for (Story* other : stories_of(queue_id)) {
    if (other == &story) {
      continue;
    }
    bool told = false;
    for (std::size_t i = 0; i < other->lines.size(); ++i) {
      const Story::Line said = other->lines[i];
      if (said.event().queue_id == queue_id && said.space.same_queue(space)) {
        apply(story, said.event(), said);
        told = true;
      }
    }
    if (told) {
      break;
    }
  }
  tell_held(story, queue_id, space);
  for (const HeldEvents::Child& child : held_.children_of(queue_id, space)) {
    tell_held(story, child.queue_id, child.space);
  }
}

void StoryTeller::tell_held(Story& story, const std::string& queue_id, const QueueSpace& space) {
  HeldEvents::Past past = held_.take(queue_id, space);
  for (OwnedEvent& event : past.events) {
    const Story::Line said{std::make_shared<const OwnedEvent>(std::move(event)), {}, past.space};
    apply(story, said.event(), said);
  }
}

// Returns all stories that have the queue id, as their root or otherwise.
std::vector<Story*> StoryTeller::stories_of(const std::string& queue_id) {
  const Owner& owner = owners_[queue_id];
  std::vector<Story*> stories = owner.stories;
  if (owner.question != nullptr) {
    for (const std::unique_ptr<Message>& message : owner.question->messages) {
      stories.push_back(&message->named);
    }
  }
  return stories;
}

}  // namespace mtrk

#pragma once

#include "common/maillog/delivery_trace.h"
#include "common/maillog/held_events.h"
#include "common/maillog/owned_event.h"
#include "common/maillog/queue_space.h"
#include "common/maillog/return_watch.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// What `mtrkctl explain` knows of the queue ids it was asked for: the messages that had them, and
// the log lines that say so.
namespace mtrk {

// The way of a message, and what was said about it.
struct Story {
  explicit Story(maillog::DeliveryTrace of) : trace(std::move(of)) {}

  maillog::DeliveryTrace trace;
  struct Line {
    std::shared_ptr<const maillog::OwnedEvent> said;  // and the whole log line
    std::vector<std::size_t> recipients;  // of an attempt: indexes into the trace's; else it
                                          // belongs to all of the queue id
    maillog::QueueSpace space;

    [[nodiscard]] const maillog::DeliveryEvent& event() const { return said->event(); }
    [[nodiscard]] std::string_view text() const { return said->line(); }
    // Whether it is about single recipients; else it belongs to all of the queue id.
    [[nodiscard]] bool personal() const;
  };
  std::vector<Line> lines;  // those of recipients the trace does not know, too

  // `via`: the trace's, of that recipient.
  [[nodiscard]] std::vector<const Line*> lines_of(std::size_t recipient,
                                                  const std::vector<std::string>& via) const;
};

// One message that had a queue id.
struct Message {
  Message(const QueueId& queue_id, const std::vector<std::string>& recipients, Mta mta);

  // Recipients: all that the log names. With Postfix those that somebody asks for are among them,
  // first, whether the log names them or not.
  Story named;
  std::size_t given = 0;  // how many these are
  // With Sendmail, where what is said of one depends on who else is known to be one: those that
  // somebody asks for, and no others.
  std::optional<Story> asked;

  maillog::QueueSpace space;
  std::string host;       // as the log has it; empty if it does not say
  std::string instance;   // of Postfix: what its queue manager logs under; empty if not known
  std::string opened_by;  // the name that took it in logs under
  std::optional<LogTime> opened, removed;
  bool over = false;  // its id was given to another message

  // Whose recipients are those that somebody asks for.
  [[nodiscard]] const Story& story_of_asked() const { return asked ? *asked : named; }
  // The same message with one recipient without a name, for all that the log names none of.
  [[nodiscard]] std::unique_ptr<const Story> whole(const maillog::TracePolicy& policy) const;
};

// Collects the stories of the queue ids asked for. One id may be of several messages: in the queues
// of several hosts or instances, or one after the other. Unlike with TraceRouter, it may belong to
// several stories: to its own, if somebody asked for it, and to that of the message it was made
// from.
class StoryTeller {
 public:
  explicit StoryTeller(maillog::TracePolicy policy);

  // Asks for a queue id, once, before anything is read: for these recipients, and whatever others
  // there are.
  void ask(const QueueId& queue_id, std::vector<std::string> recipients);

  void read(const maillog::DeliveryEvent& event, std::string_view line);
  // For who does not read all of a log: what the rest of it says of instances and of how far it
  // goes.
  void learn(const maillog::DeliveryEvent& event) { spaces_.learn(event); }
  void know_until(LogTime at) { until_ = std::max(until_.value_or(at), at); }

  // In the order in which the log began to speak of them. Null if nobody asked for it.
  using Messages = std::vector<std::unique_ptr<Message>>;
  [[nodiscard]] const Messages* find(std::string_view queue_id) const;
  // How far the log goes: the time of the latest event.
  [[nodiscard]] std::optional<LogTime> until() const { return until_; }
  // Whether the log has lately opened a message under that queue id, on any host. Remembers some
  // ten thousands of them.
  [[nodiscard]] bool is_recent(std::string_view queue_id) const;

 private:
  using Said = std::shared_ptr<const maillog::OwnedEvent>;
  struct Question {
    QueueId queue_id;
    std::vector<std::string> recipients;
    Messages messages;
  };
  struct Owner {  // of a queue id
    Question* question = nullptr;
    std::vector<Story*> stories;  // that it belongs to in another way
    std::vector<Story*> offered;  // that it may turn out to belong to
  };

  [[nodiscard]] Message* message_for(Question& question,
                                     const maillog::DeliveryEvent& event,
                                     const maillog::QueueSpace& space);
  static Message* add_message(Question& question, Mta mta);
  void find_owners(const maillog::DeliveryEvent& event,
                   const maillog::QueueSpace& space,
                   std::vector<Story*>& owners);
  // `event` is what was said, with all that its line has to offer, or the copy.
  void apply(Story& story, const maillog::DeliveryEvent& event, const Story::Line& said);
  void tell_past(Story& story, const std::string& queue_id);
  void tell_held(Story& story, const std::string& queue_id, const maillog::QueueSpace& space);
  [[nodiscard]] std::vector<Story*> stories_of(const std::string& queue_id);
  void note_recent(const maillog::DeliveryEvent& event);

  maillog::TracePolicy policy_;
  maillog::QueueSpaces spaces_;
  maillog::HeldEvents held_;
  maillog::ReturnWatch<Story*> watch_;  // for pickups alone: offered ids are owned at once
  std::vector<std::unique_ptr<Question>> questions_;
  std::unordered_map<std::string, Owner> owners_;
  std::optional<LogTime> until_;
  std::vector<std::uint64_t> recent_;  // hashes of queue ids, each at a place that it gives
};

}  // namespace mtrk

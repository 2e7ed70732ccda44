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

// A StoryTeller knows what `mtrkctl explain` is asked about: the messages that had the given queue
// ids, and the log lines about them.
namespace mtrk {

// A Story is the way of one message and the lines about it.
struct Story {
  explicit Story(maillog::DeliveryTrace of) : trace(std::move(of)) {}

  maillog::DeliveryTrace trace;
  struct Line {
    std::shared_ptr<const maillog::OwnedEvent> said;  // with the whole log line
    // For an attempt, these are indexes into the trace's recipients. If empty, the line belongs to
    // all of the queue id.
    std::vector<std::size_t> recipients;
    maillog::QueueSpace space;

    [[nodiscard]] const maillog::DeliveryEvent& event() const { return said->event(); }
    [[nodiscard]] std::string_view text() const { return said->line(); }
    // Returns whether the line is about single recipients. Otherwise it belongs to all of the queue
    // id.
    [[nodiscard]] bool personal() const;
  };
  std::vector<Line> lines;  // also those of recipients that the trace does not know

  // Returns the lines of a recipient. `via` has the queue ids that the trace gives for it.
  [[nodiscard]] std::vector<const Line*> lines_of(std::size_t recipient,
                                                  const std::vector<std::string>& via) const;
};

// A Message is one message that had a queue id.
struct Message {
  Message(const QueueId& queue_id, const std::vector<std::string>& recipients, Mta mta);

  // Has all recipients that the log names. With Postfix those that were asked for are among them
  // and come first, whether the log names them or not.
  Story named;
  std::size_t given = 0;  // how many were asked for
  // Has only the recipients that were asked for. It is used with Sendmail, where the meaning of a
  // line about one recipient depends on which others are known.
  std::optional<Story> asked;

  maillog::QueueSpace space;
  std::string host;       // as in the log; empty if the log does not say
  std::string instance;   // the name Postfix's queue manager logs under; empty if unknown
  std::string opened_by;  // the name that the accepting program logs under
  std::optional<LogTime> opened, removed;
  bool over = false;  // its id was given to another message

  // Returns the story whose recipients are those that were asked for.
  [[nodiscard]] const Story& story_of_asked() const { return asked ? *asked : named; }
  // Returns a story of the same message with one unnamed recipient, which stands for all if the log
  // names none.
  [[nodiscard]] std::unique_ptr<const Story> whole(const maillog::TracePolicy& policy) const;
};

// A StoryTeller collects the stories of the queue ids asked for. One id may belong to several
// messages: in the queues of several hosts or instances, or one after the other. Unlike in
// TraceRouter, an id may belong to several stories: to its own, if it was asked for, and to that of
// the message from which its message was made.
class StoryTeller {
 public:
  explicit StoryTeller(maillog::TracePolicy policy);

  // Asks for a queue id, with these recipients and all others that it has. It must be called once
  // for each id and before anything is read.
  void ask(const QueueId& queue_id, std::vector<std::string> recipients);

  void read(const maillog::DeliveryEvent& event, std::string_view line);
  // These are for a caller that does not read all of a log. They pass on what the rest of it says
  // about instances, and how far it reaches.
  void learn(const maillog::DeliveryEvent& event) { spaces_.learn(event); }
  void know_until(LogTime at) { until_ = std::max(until_.value_or(at), at); }

  // Returns the messages in the order in which the log first mentions them, or null if the id was
  // not asked for.
  using Messages = std::vector<std::unique_ptr<Message>>;
  [[nodiscard]] const Messages* find(std::string_view queue_id) const;
  // Returns the time of the latest event, which is how far the log reaches.
  [[nodiscard]] std::optional<LogTime> until() const { return until_; }
  // Returns whether the log has recently opened a message with that queue id, on any host. It
  // remembers some ten thousand ids.
  [[nodiscard]] bool is_recent(std::string_view queue_id) const;

 private:
  using Said = std::shared_ptr<const maillog::OwnedEvent>;
  struct Question {
    QueueId queue_id;
    std::vector<std::string> recipients;
    Messages messages;
  };
  struct Owner {  // for each queue id
    Question* question = nullptr;
    std::vector<Story*> stories;  // other stories that it belongs to
    std::vector<Story*> offered;  // stories that it may turn out to belong to
  };

  [[nodiscard]] Message* message_for(Question& question,
                                     const maillog::DeliveryEvent& event,
                                     const maillog::QueueSpace& space);
  static Message* add_message(Question& question, Mta mta);
  void find_owners(const maillog::DeliveryEvent& event,
                   const maillog::QueueSpace& space,
                   std::vector<Story*>& owners);
  // `event` is the event of the line with everything that the line offers, or its copy.
  void apply(Story& story, const maillog::DeliveryEvent& event, const Story::Line& said);
  void tell_past(Story& story, const std::string& queue_id);
  void tell_held(Story& story, const std::string& queue_id, const maillog::QueueSpace& space);
  [[nodiscard]] std::vector<Story*> stories_of(const std::string& queue_id);
  void note_recent(const maillog::DeliveryEvent& event);

  maillog::TracePolicy policy_;
  maillog::QueueSpaces spaces_;
  maillog::HeldEvents held_;
  maillog::ReturnWatch<Story*> watch_;  // for pickups only: offered ids have an owner at once
  std::vector<std::unique_ptr<Question>> questions_;
  std::unordered_map<std::string, Owner> owners_;
  std::optional<LogTime> until_;
  std::vector<std::uint64_t> recent_;  // hashes of queue ids; each hash determines its index
};

}  // namespace mtrk

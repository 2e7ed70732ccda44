#pragma once

#include "common/maillog/delivery_trace.h"
#include "common/maillog/held_events.h"
#include "common/maillog/owned_event.h"
#include "common/maillog/return_watch.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// What `mtrkctl explain` knows of one queue id: its trace, and the log lines that made it.
namespace mtrk {

struct Story {
  explicit Story(maillog::DeliveryTrace of) : trace(std::move(of)) {}

  maillog::DeliveryTrace trace;
  struct Line {
    std::shared_ptr<const maillog::OwnedEvent> said;  // and the whole log line
    std::vector<std::size_t> recipients;  // of an attempt: indexes into the trace's; else it
                                          // belongs to all of the queue id

    [[nodiscard]] const maillog::DeliveryEvent& event() const { return said->event(); }
    [[nodiscard]] std::string_view text() const { return said->line(); }
    // Whether it is about single recipients; else it belongs to all of the queue id.
    [[nodiscard]] bool personal() const;
  };
  std::vector<Line> lines;

  [[nodiscard]] std::vector<const Line*> lines_of(std::size_t recipient) const;
};

// Collects the stories of the queue ids asked for. Unlike TraceRouter, an id may belong to several:
// to its own, if somebody asked for it, and to that of the message it was made from.
class StoryTeller {
 public:
  explicit StoryTeller(maillog::TracePolicy policy);

  // Asks for a queue id, once, before anything is read.
  void ask(const QueueId& queue_id, std::vector<std::string> recipients, maillog::Recipients mode);
  [[nodiscard]] const Story* find(std::string_view queue_id) const;

  void read(const maillog::DeliveryEvent& event, std::string_view line);

 private:
  using Said = std::shared_ptr<const maillog::OwnedEvent>;

  // `event` is what was said, with all that its line has to offer, or the copy.
  void apply(Story& story, const maillog::DeliveryEvent& event, const Said& said);
  void tell_past(Story& story, const std::string& queue_id);

  maillog::TracePolicy policy_;
  maillog::HeldEvents held_;
  maillog::ReturnWatch<Story*> watch_;  // for pickups alone: offered ids are owned at once
  std::vector<std::unique_ptr<Story>> stories_;
  std::unordered_map<std::string, Story*> asked_;                // by the id asked for
  std::unordered_map<std::string, std::vector<Story*>> owners_;  // by any id of theirs
};

}  // namespace mtrk

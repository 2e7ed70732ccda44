#pragma once

#include "common/base/mta.h"
#include "common/maillog/trace_router.h"
#include "common/store/record_codec.h"
#include "common/store/store_rows.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

// The traces of the store as TraceRouter wants them.
//
// All queue ids that are followed are in memory, so that a log line of untracked mail costs one
// hash look-up and no LMDB access. Traces are decoded once and kept, with their messages, in a
// write-back cache: several lines of one message in a batch are one write. Some stay over to the
// next batch. What a batch did to the memory is undone by abort().
namespace mtrk::store {

// Whether the message is known to have been taken. What the milter let pass at end of message is
// taken if the log as much as names it: a refusal after that would be in the log, too.
[[nodiscard]] bool is_confirmed(const StoredTrace& trace);

class LiveTraces : public maillog::TraceIndex {
 public:
  explicit LiveTraces(maillog::TracePolicy policy) : policy_(policy) {}

  struct Entry {
    StoredTrace trace;
    std::optional<StoredMessage> message;  // absent only while its row could not be read
    bool dirty = false;
    bool refused = false;  // to be removed at the next flush(): there must be no record
    bool was_queued = true;
  };

  void load(const Txn& txn, const Databases& databases);  // forgets all, reads the queue ids
  void begin(Rows& rows) { rows_ = &rows; }
  void flush();  // writes what changed
  void committed();
  void abort() noexcept;
  [[nodiscard]] bool changed_anything() const { return changed_anything_; }

  // TraceIndex, for the router.
  [[nodiscard]] maillog::DeliveryTrace* find(std::string_view queue_id) override;
  void bind(std::string_view queue_id, maillog::DeliveryTrace& trace) override;
  void changed(maillog::DeliveryTrace& trace,
               std::span<const std::size_t> recipients,
               const maillog::DeliveryEvent& event) override;

  // For the writer. References stay valid until flush() or remove().
  [[nodiscard]] std::optional<Serial> serial_of(std::string_view queue_id) const;
  [[nodiscard]] Entry* entry(Serial serial);  // null if there is no trace (any more)
  void insert(Serial serial, StoredTrace trace, StoredMessage message);
  void remove(Serial serial);             // trace and message
  void remove_trace(Serial serial);       // the message stays
  void end(Serial serial, TimePoint at);  // its first queue id now means another message
  // None of its queue ids is in the queue any more, though no line said so. Its trace stays until
  // the message expires.
  void vanish(Serial serial, Mta mta, TimePoint at);
  void confirm(Serial serial, Mta mta, TimePoint at);  // it is in the queue, though no line said so
  [[nodiscard]] std::vector<Serial> followed() const;  // ascending, each once
  void update_message(Serial serial, Entry& entry);    // after anything but an event has changed

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  using Ids = std::unordered_map<std::string, Serial, Hash, std::equal_to<>>;

  std::pair<const Serial, Entry>& owner_of(const maillog::DeliveryTrace& trace);
  void set_id(std::string_view queue_id, std::optional<Serial> serial);
  void set_outcome(Entry& entry, std::size_t recipient);
  void note_queue_state(Serial serial, Entry& entry);
  void touch(Serial serial, Entry& entry);
  void judge_again(Serial serial, Entry& entry);

  maillog::TracePolicy policy_;
  Rows* rows_ = nullptr;
  Ids ids_;
  std::vector<std::pair<std::string, std::optional<Serial>>> undo_;  // what ids_ held before
  std::unordered_map<Serial, Entry> cache_;
  std::vector<Serial> touched_;  // what flush() has to look at
  bool changed_anything_ = false;
};

}  // namespace mtrk::store

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

// LiveTraces gives TraceRouter access to the traces of the store.
//
// All queue ids that are followed are in memory, so that a log line of untracked mail costs one
// hash look-up and no access to LMDB. Traces are decoded once and kept, with their messages, in a
// write-back cache, so that several lines of one message in a batch are one write. Some stay in the
// cache for the next batch. abort() undoes what a batch did to the memory. Not thread-safe.
namespace mtrk::store {

// Returns whether the message is known to have been accepted. A message that the milter let pass at
// end of message counts as accepted as soon as the log names it at all, because a refusal after
// that would be in the log, too.
[[nodiscard]] bool is_confirmed(const StoredTrace& trace);

class LiveTraces : public maillog::TraceIndex {
 public:
  explicit LiveTraces(maillog::TracePolicy policy) : policy_(policy) {}

  struct Entry {
    StoredTrace trace;
    std::optional<StoredMessage> message;  // absent only if its row could not be read
    bool dirty = false;
    bool refused = false;  // The next flush() removes it: there must be no record.
    bool was_queued = true;
  };

  // Forgets everything and reads the queue ids.
  void load(const Txn& txn, const Databases& databases);
  void begin(Rows& rows) { rows_ = &rows; }
  void flush();  // writes what changed
  void committed();
  void abort() noexcept;
  [[nodiscard]] bool changed_anything() const { return changed_anything_; }

  // These implement TraceIndex, for the router.
  [[nodiscard]] maillog::DeliveryTrace* find(std::string_view queue_id) override;
  void bind(std::string_view queue_id, maillog::DeliveryTrace& trace) override;
  void changed(maillog::DeliveryTrace& trace,
               std::span<const std::size_t> recipients,
               const maillog::DeliveryEvent& event) override;

  // These are for the writer. References stay valid until flush() or remove().
  [[nodiscard]] std::optional<Serial> serial_of(std::string_view queue_id) const;
  [[nodiscard]] Entry* entry(Serial serial);  // null if there is no trace (any more)
  void insert(Serial serial, StoredTrace trace, StoredMessage message);
  void remove(Serial serial);             // removes the trace and the message
  void remove_trace(Serial serial);       // keeps the message
  void end(Serial serial, TimePoint at);  // its first queue id now names another message
  // Says that none of its queue ids is in the queue any more, although no line said so. Its trace
  // stays until the message expires.
  void vanish(Serial serial, Mta mta, TimePoint at);
  // Says that it is in the queue, although no line said so.
  void confirm(Serial serial, Mta mta, TimePoint at);
  [[nodiscard]] std::vector<Serial> followed() const;  // ascending, each once
  // To be called after anything but an event has changed the entry.
  void update_message(Serial serial, Entry& entry);

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

#pragma once

#include "common/mtqp/server_session.h"
#include "common/net/asio.h"
#include "common/store/tracking_reader.h"
#include "common/track/confidentiality.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>

namespace mtrk::mtqpd {

// Where messages are found: the LMDB store, or a fake in tests. Thread-safe; a snapshot belongs to
// one thread.
class MessageSource {
 public:
  using Views = store::TrackingReader::Snapshot::Views;
  class Snapshot {
   public:
    virtual ~Snapshot() = default;
    // What it gives lasts until the next call. Fails: store::StoreError.
    [[nodiscard]] virtual Views find(const EnvelopeId& envelope_id,
                                     const TrackingCertifier& certifier,
                                     TimePoint now) = 0;
    // False if the pages that it gave could not be had after all: nothing made of them counts.
    [[nodiscard]] virtual bool sound() const { return true; }
  };

  virtual ~MessageSource() = default;
  // Fails: store::StoreError.
  [[nodiscard]] virtual std::unique_ptr<Snapshot> snapshot() const = 0;
  // The path leads to other files than were opened: restored, set aside, or the lock file renewed.
  [[nodiscard]] virtual bool replaced() const = 0;
};
// Fails: store::StoreUnusable.
using OpenSource = std::function<std::unique_ptr<MessageSource>()>;
[[nodiscard]] OpenSource open_tracking_store(std::string path);

// The joiner of MTQP and the store: a LookUp in, a report or the one miss out. Opens the store, and
// opens it again when it broke or was replaced, with back-off; while there is none every answer is
// "unavailable". One environment a process (LMDB's rule), so the old one is closed first.
// answer() and available() from any thread; tend() from one.
class QueryService {
 public:
  explicit QueryService(OpenSource open);

  // Call about once a second, and once before serving. Returns what changed, for the log; fails
  // with StoreUnusable if the store is of a newer format or on a network file system (exit code
  // 78): waiting will not mend that.
  struct Change {
    bool available;
    std::string detail;  // why not
  };
  [[nodiscard]] std::optional<Change> tend(net::Clock::time_point now);

  [[nodiscard]] bool available() const;

  // Answers commands that came together, from one look at the store: taken with the first query,
  // given up with the object. Not to be held while waiting for anything: it keeps tend() waiting,
  // and the store from using pages again.
  class Batch {
   public:
    explicit Batch(const QueryService& service) : service_(service) {}

    // Replaces `report` by the answer, if there is one. `tag` gets the first octets of the store's
    // key, which is what the log may say of an id.
    [[nodiscard]] mtqp::ServerSession::LookUpResult answer(const mtqp::LookUp& query,
                                                           const Confidentiality& confidentiality,
                                                           TimePoint now,
                                                           std::string& report,
                                                           std::uint32_t* tag = nullptr);

    // What the store has for a query, nothing left out: what chaining needs beside the answer.
    // Nothing if the store broke.
    [[nodiscard]] store::TrackingReader::Found copy(const mtqp::LookUp& query, TimePoint now);

   private:
    [[nodiscard]] MessageSource::Views find(const mtqp::LookUp& query, TimePoint now);
    mtqp::ServerSession::LookUpResult broken();  // until tend() has opened the store again

    const QueryService& service_;
    std::shared_lock<std::shared_mutex> lock_;
    std::unique_ptr<MessageSource::Snapshot> snapshot_;
  };

 private:
  [[nodiscard]] bool needs_opening() const;
  [[nodiscard]] std::optional<Change> failed(net::Clock::time_point now, const char* why);

  OpenSource open_;
  mutable std::shared_mutex mutex_;  // shared: use `source_`; exclusive: change it
  std::unique_ptr<MessageSource> source_;
  mutable std::atomic<bool> suspect_{false};  // a look-up failed since it was opened
  // tend() only:
  std::optional<bool> reported_;  // what the last Change said
  std::chrono::seconds back_off_{1};
  net::Clock::time_point next_try_{};
};

}  // namespace mtrk::mtqpd

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

// Finds messages in the LMDB store, or in a fake for tests. A source is thread-safe; a snapshot
// belongs to one thread.
class MessageSource {
 public:
  using Views = store::TrackingReader::Snapshot::Views;
  class Snapshot {
   public:
    virtual ~Snapshot() = default;
    // The views are valid until the next call. Throws store::StoreError.
    [[nodiscard]] virtual Views find(const EnvelopeId& envelope_id,
                                     const TrackingCertifier& certifier,
                                     TimePoint now) = 0;
    // Has to be called before what was made of the views is used. Fails: store::StoreOvertaken if
    // they do not count and a new snapshot has to be asked, another store::StoreError if a new one
    // would not help.
    virtual void confirm() const {}
  };

  virtual ~MessageSource() = default;
  // Throws store::StoreError.
  [[nodiscard]] virtual std::unique_ptr<Snapshot> snapshot() const = 0;
  // Returns true if the path now leads to other files than those that are open: the store was
  // restored or set aside, or its lock file was renewed.
  [[nodiscard]] virtual bool replaced() const = 0;
};
// An OpenSource opens a source, and throws store::StoreUnusable. open_tracking_store() returns one
// for the store at `path`.
using OpenSource = std::function<std::unique_ptr<MessageSource>()>;
[[nodiscard]] OpenSource open_tracking_store(std::string path);

// Answers MTQP queries from the store: turns a LookUp into a report or into a miss, which looks the
// same for an unknown id, a wrong secret and an expired record. It opens the store, and opens it
// again, with back-off, when it broke or was replaced; without a store every answer is
// "unavailable". LMDB allows one environment in a process, so the old one is closed first.
//
// answer() and available() may be called from any thread, tend() from one only.
class QueryService {
 public:
  explicit QueryService(OpenSource open);

  // Opens the store if need be, and returns what has changed, for the log. To be called about once
  // a second, and once before serving. Throws store::StoreUnusable if waiting cannot help (exit
  // code 78): the store has a newer format, or is on a network file system.
  struct Change {
    bool available;
    std::string detail;  // why it is not available
  };
  [[nodiscard]] std::optional<Change> tend(net::Clock::time_point now);

  [[nodiscard]] bool available() const;

  // Answers commands that arrived together, from one snapshot of the store. It is taken with the
  // first query, replaced when the writer has overtaken it, and released by the destructor. It must
  // not be held while waiting for anything, because it blocks tend().
  class Batch {
   public:
    explicit Batch(const QueryService& service) : service_(service) {}

    // Replaces `report` by the answer, if there is one. `tag` receives the first octets of the
    // store's key, which is all that the log may say of an id.
    [[nodiscard]] mtqp::ServerSession::LookUpResult answer(const mtqp::LookUp& query,
                                                           const Confidentiality& confidentiality,
                                                           TimePoint now,
                                                           std::string& report,
                                                           std::uint32_t* tag = nullptr);

    // Copies what the store has for a query, with nothing left out, which chaining needs beside the
    // answer. Returns nothing if the store broke.
    [[nodiscard]] store::TrackingReader::Found copy(const mtqp::LookUp& query, TimePoint now);

   private:
    // Calls `use` with what is found, again from a new snapshot if that did not count. Returns
    // false if there is no store. Fails: store::StoreError.
    template <typename Use>
    [[nodiscard]] bool find(const mtqp::LookUp& query, TimePoint now, Use&& use);
    // Gives up the store until tend() has opened it again.
    void broken();

    const QueryService& service_;
    std::shared_lock<std::shared_mutex> lock_;
    std::unique_ptr<MessageSource::Snapshot> snapshot_;
  };

 private:
  [[nodiscard]] bool needs_opening() const;
  [[nodiscard]] std::optional<Change> failed(net::Clock::time_point now, const char* why);

  OpenSource open_;
  mutable std::shared_mutex mutex_;  // held shared to use `source_`, exclusively to change it
  std::unique_ptr<MessageSource> source_;
  mutable std::atomic<bool> suspect_{false};  // A look-up has failed since the store was opened.
  // Only tend() uses these:
  std::optional<bool> reported_;  // what the last Change said
  std::chrono::seconds back_off_{1};
  net::Clock::time_point next_try_{};
};

}  // namespace mtrk::mtqpd

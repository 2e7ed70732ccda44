#pragma once

#include "common/config/config.h"
#include "common/store/tracking_writer.h"
#include "common/track/mta_name.h"

#include <functional>

// What mtrkctl's subcommands share when they open the store.
namespace mtrk {

// `config` has to outlive the result (log.filters, gate.outbound.listen).
[[nodiscard]] store::WriterOptions writer_options(const Config& config);
[[nodiscard]] MtaName reporting_mta(const Config& config);  // hostname, or the system's

// Opens the store to write, from which moment on a fault in its mapped files (cut off, damaged
// pages) ends the process with one line and exit_code::io_error: what a transaction has made of
// them cannot be trusted, so none is committed that has not been. Fails as TrackingWriter does.
class CheckedWriter {
 public:
  explicit CheckedWriter(const Config& config);
  store::TrackingWriter& get() { return writer_; }

 private:
  store::TrackingWriter writer_;
};

// Runs `command` and turns what the store throws into one line on stderr and an exit code:
// StoreUnusable its own, StoreError 74, or 75 if there is no room.
[[nodiscard]] int with_store_errors(const std::function<int()>& command) noexcept;

}  // namespace mtrk

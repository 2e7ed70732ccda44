#pragma once

#include "common/config/config.h"
#include "common/store/tracking_writer.h"
#include "common/track/mta_name.h"

#include <functional>

// The subcommands of mtrkctl share these functions to open the store.
namespace mtrk {

// `config` must outlive the result, which refers to log.filters and gate.outbound.listen.
[[nodiscard]] store::WriterOptions writer_options(const Config& config);
[[nodiscard]] MtaName reporting_mta(const Config& config);  // hostname, or the system's name

// A CheckedWriter has opened the store for writing. From then on a fault in its mapped files (which
// were truncated or have damaged pages) ends the process with one line and exit_code::io_error.
// What a transaction has made of such files cannot be trusted, so no open transaction is committed.
// The constructor throws as TrackingWriter does.
class CheckedWriter {
 public:
  explicit CheckedWriter(const Config& config);
  store::TrackingWriter& get() { return writer_; }

 private:
  store::TrackingWriter writer_;
};

// Runs `command` and turns what the store throws into one line on stderr and an exit code. That
// code is StoreUnusable's own; for StoreError it is 74, or 75 if there is no room.
[[nodiscard]] int with_store_errors(const std::function<int()>& command) noexcept;

}  // namespace mtrk

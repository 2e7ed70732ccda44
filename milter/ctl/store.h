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

// Runs `command` and turns what the store throws into one line on stderr and an exit code:
// StoreUnusable its own, StoreError 74, or 75 if there is no room.
[[nodiscard]] int with_store_errors(const std::function<int()>& command) noexcept;

}  // namespace mtrk

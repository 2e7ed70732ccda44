#pragma once

#include "common/config/config.h"

#include <string>

// `mtrkctl import`: tracked messages from NDJSON into the store (
// milter/ctl/import_line.h). A bad line is reported on stderr as "FILE:LINE: reason" and left out;
// the others are imported. On stderr also one summary line "lines=N imported=N bad=N". Importing
// the same file twice changes nothing. May run beside the daemon.
namespace mtrk {

struct ImportOptions {
  std::string file;  // "-" is stdin
  Config config;
};

// Exit code (sysexits): 0; 65 some line was bad; 66 the file cannot be opened; 73, 77, 78 the store
// cannot be opened (tracking_writer.h); 74 reading or writing failed; 75 the store is full. Never
// throws.
[[nodiscard]] int run_import(const ImportOptions& options);

}  // namespace mtrk

#pragma once

#include "common/config/config.h"

#include <string>

// `mtrkctl import` puts tracked messages from NDJSON (milter/ctl/import_line.h) into the store. It
// reports a bad line on stderr as "FILE:LINE: reason", leaves it out, and imports the others. It
// also prints one summary line "lines=N imported=N bad=N" to stderr. Importing the same file twice
// changes nothing. It may run beside the daemon.
namespace mtrk {

struct ImportOptions {
  std::string file;  // "-" is stdin
  Config config;
};

// Returns the exit code (sysexits) and never throws:
//
//   0           every line was imported
//   65          some line was bad
//   66          the file cannot be opened
//   73, 77, 78  the store cannot be opened (tracking_writer.h)
//   74          reading or writing failed
//   75          the store is full
[[nodiscard]] int run_import(const ImportOptions& options);

}  // namespace mtrk

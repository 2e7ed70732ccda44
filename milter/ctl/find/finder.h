#pragma once

#include "common/config/config.h"
#include "milter/ctl/find/row.h"
#include "milter/ctl/find/search.h"

#include <cstddef>
#include <optional>
#include <vector>

// find_rows() leads from logs and criteria to rows. It combines search.h and row.h and uses all
// cores.
namespace mtrk::find {

struct FinderOptions {
  Config config;           // log.mta, queue_lifetime, filters; gate.outbound.listen
  std::optional<Mta> mta;  // whose logs they are; if empty, logs or configuration decide
  std::size_t limit = 0;   // how many of the newest rows to return; 0 means all
  Format format = Format::table;
  PageStyle style;
};

struct Answer {
  std::vector<Row> rows;  // the newest comes last
  std::size_t all = 0;    // the number of rows without the limit
  Found found;
};

// Throws what LogSet::scan() throws.
[[nodiscard]] Answer find_rows(LogSet& logs,
                               const Criteria& criteria,
                               const FinderOptions& options,
                               const LogSet::Progress& progress = {});

}  // namespace mtrk::find

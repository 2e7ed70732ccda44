#pragma once

#include "common/config/config.h"
#include "milter/ctl/find/row.h"
#include "milter/ctl/find/search.h"

#include <cstddef>
#include <optional>
#include <vector>

// From logs and criteria to rows: search.h and row.h put together, with all cores.
namespace mtrk::find {

struct FinderOptions {
  Config config;           // log.mta, queue_lifetime, filters; gate.outbound.listen
  std::optional<Mta> mta;  // whose logs they are; else as they tell, else as the configuration says
  std::size_t limit = 0;   // the newest so many; 0: all
  Format format = Format::table;
  PageStyle style;
};

struct Answer {
  std::vector<Row> rows;  // the newest last
  std::size_t all = 0;    // as many there would be without a limit
  Found found;
};

// Fails: as LogSet::scan().
[[nodiscard]] Answer find_rows(LogSet& logs,
                               const Criteria& criteria,
                               const FinderOptions& options,
                               const LogSet::Progress& progress = {});

}  // namespace mtrk::find

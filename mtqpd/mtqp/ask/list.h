#pragma once

#include "mtqpd/mtqp/base/options.h"
#include "mtqpd/mtqp/send/sent_file.h"

#include <string>
#include <vector>

namespace mtrk::cli {

// One line for each of the latest `count` records (0: all), the latest first: the shortest
// beginning of its name that is enough for `mtqp track`, when, to whom.
[[nodiscard]] std::string format_sent(const std::vector<SentRecord>& records,
                                      std::size_t count,
                                      const std::function<std::string(TimePoint)>& time);
// The same as JSON, one object a line, without the secrets.
[[nodiscard]] std::string format_sent_json(const std::vector<SentRecord>& records,
                                           std::size_t count);

// mtqp list: what mtqp send has sent. Returns the exit code.
[[nodiscard]] int run_list(const ListOptions& options);

}  // namespace mtrk::cli

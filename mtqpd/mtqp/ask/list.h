#pragma once

#include "mtqpd/mtqp/base/options.h"
#include "mtqpd/mtqp/send/sent_file.h"

#include <string>
#include <vector>

namespace mtrk::cli {

// Returns one line for each of the latest `count` records (0: all), the latest first. It shows the
// shortest beginning of the record's name that `mtqp track` accepts, the time, and the recipients.
[[nodiscard]] std::string format_sent(const std::vector<SentRecord>& records,
                                      std::size_t count,
                                      const std::function<std::string(TimePoint)>& time);
// Returns the same as JSON, one object in a line, without the secrets.
[[nodiscard]] std::string format_sent_json(const std::vector<SentRecord>& records,
                                           std::size_t count);

// Runs mtqp list, which shows what mtqp send has sent. Returns the exit code.
[[nodiscard]] int run_list(const ListOptions& options);

}  // namespace mtrk::cli

#pragma once

#include "common/base/time.h"

#include <string>
#include <vector>

// The user's record of what was sent and may be tracked: one JSON object a line, with the secrets
// (MTRK-3.1-08), hence for nobody else (MTRK-4.2-02).
namespace mtrk::cli {

struct SentRecord {
  TimePoint time;
  std::string envelope_id;  // decoded
  std::string uri;          // holds the secret
  std::string smtp;
  std::string carrier;
  std::string from;
  std::vector<std::string> to;
};

// $XDG_STATE_HOME/mtqp/sent.ndjson, else ~/.local/state/mtqp/sent.ndjson. Empty if neither is set.
[[nodiscard]] std::string sent_file_path();

// Appends the record and waits until it is on disk. Creates the file (0600) and its folder (0700);
// refuses symbolic links, files of other users and files that others may read. Concurrent writers
// take turns. Throws std::system_error naming the path.
void append_sent_record(const std::string& path, const SentRecord& record);

}  // namespace mtrk::cli

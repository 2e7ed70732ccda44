#pragma once

#include "common/base/expected.h"
#include "common/base/time.h"

#include <string>
#include <string_view>
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

[[nodiscard]] std::string sent_file_path();  // state_file_path("sent.ndjson")

// Appends the record and waits until it is on disk. Creates the file (0600) and its folder (0700);
// refuses symbolic links, files of other users and files that others may read. Concurrent writers
// take turns. Throws std::system_error naming the path.
void append_sent_record(const std::string& path, const SentRecord& record);

// All records in the order they were sent; lines that are none are left out. Throws
// std::system_error, also if others may read the file. The caller wipes the URIs.
[[nodiscard]] std::vector<SentRecord> read_sent_records(const std::string& path);
[[nodiscard]] Expected<SentRecord> parse_sent_record(std::string_view line);
void wipe_records(std::vector<SentRecord>& records) noexcept;

// The name by which `mtqp list` and `mtqp track` know a message: eight hexadecimal digits of a hash
// of its envelope id.
[[nodiscard]] std::string short_name(const SentRecord& record);

// The one record that `name` means: "last", the beginning of a short name, or the beginning of an
// envelope id, each of four characters at least. Fails: none, or several messages.
inline constexpr std::size_t kMinPrefix = 4;
[[nodiscard]] Expected<const SentRecord*> find_sent(const std::vector<SentRecord>& records,
                                                    std::string_view name);

}  // namespace mtrk::cli

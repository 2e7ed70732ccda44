#pragma once

#include "common/base/expected.h"
#include "common/base/time.h"

#include <string>
#include <string_view>
#include <vector>

// Keeps the user's record of the messages that were sent and can be tracked: one JSON object in a
// line. It holds the secrets (MTRK-3.1-08), so only the user may read it (MTRK-4.2-02).
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

// Appends the record and waits until it is on disk. Creates the file (mode 0600) and its folder
// (mode 0700). Concurrent writers take turns. Throws std::system_error, which names the path, also
// if the file is a symbolic link, belongs to another user, or may be read by others.
void append_sent_record(const std::string& path, const SentRecord& record);

// Returns all records in the order in which they were sent, without lines that hold none. The
// caller wipes the URIs. Throws std::system_error, also if others may read the file.
[[nodiscard]] std::vector<SentRecord> read_sent_records(const std::string& path);
[[nodiscard]] Expected<SentRecord> parse_sent_record(std::string_view line);
void wipe_records(std::vector<SentRecord>& records) noexcept;

// Returns the name by which `mtqp list` and `mtqp track` know a message: eight hexadecimal digits
// of a hash of its envelope id.
[[nodiscard]] std::string short_name(const SentRecord& record);

// Returns the one record that `name` means: "last", the beginning of a short name, or the beginning
// of an envelope id, each of at least kMinPrefix characters. Returns an error if it matches no
// message or several.
inline constexpr std::size_t kMinPrefix = 4;
[[nodiscard]] Expected<const SentRecord*> find_sent(const std::vector<SentRecord>& records,
                                                    std::string_view name);

}  // namespace mtrk::cli

#pragma once

#include "common/maillog/delivery_event.h"
#include "common/maillog/log_line.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

// A SendmailParser parses the log records of Sendmail (8.12 to 8.18, LogLevel 9 and above) from the
// left by position, with regard to quotes. A program is recognised by its queue id, not by its tag.
//
// The remote side writes part of the records: addresses, reply= (before stat=), stat=. Sendmail
// cuts a list of recipients at commas without regard to quotes, and a record that is too long at
// any comma or space. Therefore:
//   - a record with reply= or quarantine= is no success, whatever stat= seems to say;
//   - "QID[n]: " with n ≥ 2 never begins a record: parts 1…n of one process are joined, or dropped;
//   - a list that was cut within quotes ("[more]") is dropped completely, with its other records;
//   - the backslash escapes of the log are undone once, before quotes are considered.
//
// Sendmail logs TLS only by host, before anything is sent: "STARTTLS=client, relay=HOST,
// version=…". It is shown with what the same process does at that host within the five minutes for
// which Sendmail keeps connections; nothing is concluded from it.
namespace mtrk::maillog {

// Takes "QUEUE-ID: ": eight letters or digits, then at least six digits. Returns an empty view if
// `text` does not begin so.
[[nodiscard]] std::string_view take_sendmail_id(std::string_view& text);

// Not thread-safe. Memory is bounded: if too many records wait for their other parts, all of them
// are dropped.
class SendmailParser {
 public:
  // Parses one line. A record may yield one event per recipient. Runs in linear time.
  [[nodiscard]] LineKind parse(const LogLine& line);
  // Returns the events of the last line. They are valid until the next call of parse(), and only as
  // long as the text of the line is.
  [[nodiscard]] std::span<const DeliveryEvent> events() const { return events_; }

 private:
  struct Parts {  // the parts of an unfinished record
    std::string text;
    unsigned count = 0;
  };

  struct Session {  // a session with TLS
    LogTime at;
    std::string host;
    std::string tls;
  };

  void note_session(const LogLine& line);
  [[nodiscard]] std::string_view tls_of(const LogLine& line, std::string_view relay) const;
  LineKind parse_part(const LogLine& line, std::string_view queue_id, std::string_view text);
  LineKind parse_record(const LogLine& line, std::string_view queue_id, std::string_view text);
  LineKind parse_delivery(const LogLine& line, std::string_view queue_id, std::string_view text);

  std::vector<DeliveryEvent> events_;
  std::string record_;   // the last record, put together from its parts
  std::string decoded_;  // the last record without escapes
  // Unfinished records, by queue id and process.
  std::unordered_map<std::string, Parts> parts_;
  std::unordered_set<std::string> cut_lists_;  // lists whose further records must be dropped
  std::unordered_map<std::uint32_t, Session> sessions_;  // the last one of each process
};

}  // namespace mtrk::maillog

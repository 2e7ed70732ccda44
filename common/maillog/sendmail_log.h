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

// The grammar of Sendmail's log records (8.12 to 8.18, LogLevel 9 and above), read from the left by
// position, quotes in mind. A program is known by its queue id, not by its tag.
//
// The remote side writes part of the records: addresses, reply= (before stat=), stat=. Sendmail
// cuts a list of recipients at commas without looking at quotes, and a record that is too long at
// any comma or space. Therefore:
//   - a record with reply= or quarantine= is no success, whatever stat= seems to say;
//   - "QID[n]: " with n ≥ 2 never begins a record: parts 1…n of one process are joined, or dropped;
//   - a list that was cut within quotes ("[more]") is dropped as a whole, with its other records;
//   - the backslash escapes of the log are undone once, before quotes are looked at.
//
// TLS is logged by host only, before anything is sent: "STARTTLS=client, relay=HOST, version=…". It
// is shown with what the same process does at that host within the five minutes that Sendmail keeps
// connections; nothing is concluded from it.
namespace mtrk::maillog {

// Takes "QUEUE-ID: ": eight letters or digits, then at least six digits. Empty if `text` does not
// begin so.
[[nodiscard]] std::string_view take_sendmail_id(std::string_view& text);

// Not thread-safe. Memory is bounded: if too much waits for its other parts, all of that is
// dropped.
class SendmailParser {
 public:
  // A record may give an event per recipient. Linear in the line.
  [[nodiscard]] LineKind parse(const LogLine& line);
  // Those of the last line; valid until the next one, and as long as its text.
  [[nodiscard]] std::span<const DeliveryEvent> events() const { return events_; }

 private:
  struct Parts {  // of a record that goes on
    std::string text;
    unsigned count = 0;
  };

  struct Session {  // with TLS
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
  std::string decoded_;  // the same without escapes
  // By queue id and process.
  std::unordered_map<std::string, Parts> parts_;
  std::unordered_set<std::string> cut_lists_;            // whose further records are to be dropped
  std::unordered_map<std::uint32_t, Session> sessions_;  // by process: the last one it began
};

}  // namespace mtrk::maillog

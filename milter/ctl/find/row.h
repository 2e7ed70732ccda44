#pragma once

#include "common/maillog/log_parser.h"
#include "milter/ctl/account.h"
#include "milter/ctl/find/criteria.h"
#include "milter/ctl/find/refusal.h"
#include "milter/ctl/page.h"
#include "milter/ctl/story.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// A Row is one answer of `mtrkctl find`. There is a row for each recipient as given at RCPT, which
// says where its mail ended, as `mtrkctl explain` does (account.h), and a row for each refused
// mail. Pure.
namespace mtrk::find {

struct Row {
  LogTime arrival;            // or the time of the first line about the message
  bool begun_before = false;  // the first lines of the message are not in these logs
  std::uint64_t place = 0;    // of that line; orders rows of the same instant
  std::string queue_id;       // empty if the message never had one
  std::optional<std::string> from;
  std::string to;      // as given at RCPT; empty if no line names it
  std::string target;  // where the mail was sent, if that address was asked for and is not `to`
  std::string action;  // "relayed", …; "refused", "discarded"
  std::optional<EnhancedStatus> status;
  std::string next_hop;
  std::string words;      // the reason, or what the other side said
  bool possible = false;  // no line names this recipient, but it may be an unnamed one
  Paint paint = Paint::none;
  std::string text;  // as JSON or as a timeline, as requested; empty for the table
};

enum class Format { table, json, timeline };

struct RowOptions {
  Format format = Format::table;
  PageStyle style;               // of a timeline
  bool take_possible = false;    // takes recipients that no line names too
  std::optional<LogTime> until;  // how far the logs reach
};

// An Excerpt holds all known lines of one or more messages, and no others, in their order.
struct Excerpt {
  struct Line {
    std::uint64_t place = 0;
    std::string_view text;
  };
  std::vector<Line> lines;
  std::vector<std::string> queue_ids;
  // Returns the context for the stamps of the line at that place.
  std::function<maillog::StampContext(std::uint64_t place)> stamps;
};

// Adds the rows of those messages of an excerpt that meet all criteria. `teller` must have been
// asked for their queue ids (and know the instances of the log); this function gives it the lines.
void add_rows(StoryTeller& teller,
              const Excerpt& excerpt,
              Mta mta,
              const maillog::TracePolicy& policy,
              const Criteria& criteria,
              const RowOptions& options,
              std::vector<Row>& rows);

// Returns the row of a refusal without a queue id, or nothing if it does not meet all criteria.
[[nodiscard]] std::optional<Row> row_of(const Refusal& refusal,
                                        std::string_view line,
                                        std::uint64_t place,
                                        const Criteria& criteria,
                                        const RowOptions& options);

// Returns the recipients to ask a teller for with each queue id: the address, if one is searched
// for.
[[nodiscard]] std::vector<std::string> asked_recipients(const Criteria& criteria);

}  // namespace mtrk::find

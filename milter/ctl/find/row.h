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

// What `mtrkctl find` says: a row a recipient as given at RCPT, with where its mail ended, as
// `mtrkctl explain` tells it (account.h); and a row for mail that was refused. Pure.
namespace mtrk::find {

struct Row {
  LogTime arrival;            // or the first line there is of it
  bool begun_before = false;  // its first lines are not in these logs
  std::uint64_t place = 0;    // of that line: the order of rows of one instant
  std::string queue_id;       // empty if it never had one
  std::optional<std::string> from;
  std::string to;      // as given at RCPT; empty if no line names it
  std::string target;  // where it was sent, if that is what was asked for, and not `to`
  std::string action;  // "relayed", …; "refused", "discarded"
  std::optional<EnhancedStatus> status;
  std::string next_hop;
  std::string words;      // why, or what the other side said
  bool possible = false;  // no line names this recipient: it may be one of those not named
  Paint paint = Paint::none;
  std::string text;  // as JSON or as a timeline, whatever was asked for; empty for the table
};

enum class Format { table, json, timeline };

struct RowOptions {
  Format format = Format::table;
  PageStyle style;               // of a timeline
  bool take_possible = false;    // recipients that no line names, too
  std::optional<LogTime> until;  // how far the logs go
};

// The lines that are known of one or more messages, and of nobody else, in their order.
struct Excerpt {
  struct Line {
    std::uint64_t place = 0;
    std::string_view text;
  };
  std::vector<Line> lines;
  std::vector<std::string> queue_ids;
  // The stamps of the line at that place.
  std::function<maillog::StampContext(std::uint64_t place)> stamps;
};

// The rows of the messages of an excerpt that all criteria are true of. `teller` has been asked for
// its queue ids (and knows the instances of the log); it is told the lines.
void add_rows(StoryTeller& teller,
              const Excerpt& excerpt,
              Mta mta,
              const maillog::TracePolicy& policy,
              const Criteria& criteria,
              const RowOptions& options,
              std::vector<Row>& rows);

// The row of a refusal without a queue id, if all criteria are true of it.
[[nodiscard]] std::optional<Row> row_of(const Refusal& refusal,
                                        std::string_view line,
                                        std::uint64_t place,
                                        const Criteria& criteria,
                                        const RowOptions& options);

// What a teller is to be asked for about each queue id: the address, where one is looked for.
[[nodiscard]] std::vector<std::string> asked_recipients(const Criteria& criteria);

}  // namespace mtrk::find

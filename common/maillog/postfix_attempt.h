#pragma once

#include "common/maillog/delivery_event.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mtrk::maillog {

// parse_attempt() parses one delivery attempt, which is all that follows "QUEUE-ID: " (Postfix 2.3
// to 3.11):
//
//   to=<A>[, orig_to=<B>], relay=R[, conn_use=N][, delay=D][, delays=a/b/c/d][, tls=T][,
//   dsn=X.Y.Z], status=WORD (text)
//
// The keys from relay= to status= come in any order, each once; unknown keys may stand between them
// (other_field.h). `text` ends with the last parenthesis of the line, after which only litter is
// allowed (record_end.h). If there is none, the log has cut the record: `cut` is set, and no queue
// id is read from it. Addresses without brackets are read where that leaves no doubt. Returns false
// if the line deviates in any other way. `attempt` must be empty before, and is incomplete after a
// failure.
//
// With info_log_address_format = internal, a local part is written without its quotes and may then
// look like the rest of a line. `lookalikes` are the recipients for which that is known: where one
// fits, it is the address.
struct Lookalike {
  std::string written;  // `x>, relay=y@z`
  std::string address;  // `"x>, relay=y"@z`
};
[[nodiscard]] bool parse_attempt(std::string_view text,
                                 Attempt& attempt,
                                 std::span<const Lookalike> lookalikes = {});

// Returns nothing if the address has no '>' in a quoted local part.
[[nodiscard]] std::optional<Lookalike> lookalike_of(std::string_view address);

}  // namespace mtrk::maillog

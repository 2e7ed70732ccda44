#pragma once

#include "common/maillog/delivery_event.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mtrk::maillog {

// The grammar of one delivery attempt, all that follows "QUEUE-ID: " (Postfix 2.3 to 3.11):
//
//   to=<A>[, orig_to=<B>], relay=R[, conn_use=N][, delay=D][, delays=a/b/c/d][, tls=T][,
//   dsn=X.Y.Z], status=WORD (text)
//
// The keys from relay= to status= come in any order, each once; keys that we do not know may stand
// between (other_field.h). `text` ends with the last parenthesis of the line, behind which nothing
// but litter may be (record_end.h); if there is none, the log has cut the record: `cut`, and no
// queue id is read from it. Addresses without brackets are read where that leaves no doubt. False
// if the line deviates in any other way; `attempt` (empty before) is then half filled.
//
// With info_log_address_format = internal a local part is written without its quotes, and may then
// look like the rest of a line. `lookalikes` are recipients of which that is known: where one fits,
// it is the address.
struct Lookalike {
  std::string written;  // `x>, relay=y@z`
  std::string address;  // `"x>, relay=y"@z`
};
[[nodiscard]] bool parse_attempt(std::string_view text,
                                 Attempt& attempt,
                                 std::span<const Lookalike> lookalikes = {});

// Nothing if the address has no '>' in a quoted local part.
[[nodiscard]] std::optional<Lookalike> lookalike_of(std::string_view address);

}  // namespace mtrk::maillog

#pragma once

#include "milter/ctl/account.h"
#include "milter/ctl/json.h"

#include <optional>
#include <string_view>

// These functions write the rows of `mtrkctl explain --json` and `--batch`. milter/ctl/explain.h
// describes their members.
namespace mtrk {

// Detail says whether each row contains the particulars of the message. `brief` leaves them out, as
// a batch does, because it is for programs that know what they ask for. `found` leaves them to the
// caller.
enum class Detail { brief, full, found };

// `recipient` is what was asked for. If it is empty, the recipient of the account is written.
void write_account(JsonOutput& json,
                   const Account& account,
                   std::string_view recipient,
                   std::optional<LogTime> until,
                   Detail detail);
// Writes only the members of that object, for a caller that adds more members. It must be called
// between begin() and end().
void put_account(JsonOutput& json,
                 const Account& account,
                 std::string_view recipient,
                 std::optional<LogTime> until,
                 Detail detail);
// Writes the row of a queue id that is unknown or whose message was not accepted. `recipient` is as
// above.
void write_unknown(JsonOutput& json,
                   std::string_view queue_id,
                   std::string_view recipient,
                   std::string_view reason);

}  // namespace mtrk

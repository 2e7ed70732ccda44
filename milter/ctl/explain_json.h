#pragma once

#include "milter/ctl/account.h"
#include "milter/ctl/json.h"

#include <optional>
#include <string_view>

// The rows of `mtrkctl explain --json` and `--batch` (milter/ctl/explain.h has their members).
namespace mtrk {

// Whether the particulars of the message stand in each row. In a batch they do not: it is for
// programs that know what they ask for. With `found` they are the caller's to write.
enum class Detail { brief, full, found };

// `recipient` is what was asked for; empty: the one that the account is of.
void write_account(JsonOutput& json,
                   const Account& account,
                   std::string_view recipient,
                   std::optional<LogTime> until,
                   Detail detail);
// The members of that object alone, for who has more of them: between begin() and end().
void put_account(JsonOutput& json,
                 const Account& account,
                 std::string_view recipient,
                 std::optional<LogTime> until,
                 Detail detail);
// Of a queue id that nothing is known of, or that was not taken. `recipient` as above.
void write_unknown(JsonOutput& json,
                   std::string_view queue_id,
                   std::string_view recipient,
                   std::string_view reason);

}  // namespace mtrk

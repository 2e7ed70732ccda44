#pragma once

#include "milter/ctl/account.h"

#include <string>

// Why `mtrkctl explain` says what it says: sentences that are true of the lines at hand.
namespace mtrk {

// Fills in reason, words and notes of an account whose other members are set.
void explain_fate(Account& account, const StoryTeller& teller);

// "bob@example.org, carl@example.org and 7 more"; escaped.
[[nodiscard]] std::string names_of(const Message& message);

// Why there is no fate: the address is no recipient's.
[[nodiscard]] std::string reason_against(const Finding& finding);

}  // namespace mtrk

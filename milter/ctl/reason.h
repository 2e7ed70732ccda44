#pragma once

#include "milter/ctl/account.h"

#include <string>

// These functions explain the answers of `mtrkctl explain`, in sentences that are true of the lines
// at hand.
namespace mtrk {

// Sets reason, words and notes of an account whose other members are set.
void explain_fate(Account& account, const StoryTeller& teller);

// Returns a text such as "bob@example.org, carl@example.org and 7 more", escaped.
[[nodiscard]] std::string names_of(const Message& message);

// Returns why there is no fate: the address is not that of a recipient.
[[nodiscard]] std::string reason_against(const Finding& finding);

}  // namespace mtrk

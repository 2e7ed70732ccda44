#pragma once

#include "common/base/expected.h"

#include <string>
#include <string_view>

// These functions treat sendmail.mc as text: they find, insert and remove what attaches
// mtrk-milter. Pure.
namespace mtrk::setup {

// Returns sendmail.mc with our filter after all others, before the first MAILER line, and with the
// log levels that outcomes need, unless higher ones are set. `socket` is an absolute path. Applying
// it twice is the same as once. Fails if there is no MAILER line, or if the filter is in the file
// already without our marks (by an include of mtrk.m4, for example).
[[nodiscard]] Expected<std::string> attach_sendmail_mc(std::string_view file,
                                                       std::string_view socket);

// Returns sendmail.mc without the lines between our marks, as it was before.
[[nodiscard]] std::string detach_sendmail_mc(std::string_view file);

// Returns whether the file names our filter outside our marks.
[[nodiscard]] bool has_filter_by_hand(std::string_view file);

}  // namespace mtrk::setup

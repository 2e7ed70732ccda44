#pragma once

#include "common/base/expected.h"

#include <string>
#include <string_view>

// sendmail.mc as text: found in it, put into it and taken out of it what attaches mtrk-milter.
// Pure.
namespace mtrk::setup {

// sendmail.mc with our filter behind all others, before the first MAILER line, with the log levels
// that outcomes need, unless higher ones are there. `socket` is absolute. Twice is the same as
// once. Fails where no MAILER line is found, and where the filter stands in it already without our
// marks (an include of mtrk.m4, say).
[[nodiscard]] Expected<std::string> attach_sendmail_mc(std::string_view file,
                                                       std::string_view socket);

// sendmail.mc without the lines between our marks, as it was before.
[[nodiscard]] std::string detach_sendmail_mc(std::string_view file);

// Whether our filter is named outside of our marks.
[[nodiscard]] bool has_filter_by_hand(std::string_view file);

}  // namespace mtrk::setup

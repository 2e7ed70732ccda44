#pragma once

#include "common/base/expected.h"
#include "mtqpd/mtqp/send/auth.h"

#include <optional>
#include <string>
#include <string_view>

// How a password reaches `mtqp send`: never as an argument.
namespace mtrk::cli {

// The password of `user` at `host` in the text of a netrc(5) file; `default` matches every host.
[[nodiscard]] std::optional<std::string> find_in_netrc(std::string_view text,
                                                       std::string_view host,
                                                       std::string_view user);

// The first line of `password_file` if one is given, else $MTQP_SMTP_PASSWORD, which is taken out
// of the environment, else ~/.netrc, which must be for the user alone. Fails: none of them has it.
// Throws std::system_error: ~/.netrc cannot be read, or others can read it.
[[nodiscard]] Expected<Credentials> read_credentials(const std::string& user,
                                                     const std::string& host,
                                                     const std::string& password_file);

}  // namespace mtrk::cli

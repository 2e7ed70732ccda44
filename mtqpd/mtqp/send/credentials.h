#pragma once

#include "common/base/expected.h"
#include "mtqpd/mtqp/send/auth.h"

#include <optional>
#include <string>
#include <string_view>

// Finds the password for `mtqp send`; it is never an argument.
namespace mtrk::cli {

// Returns the password of `user` at `host` in the text of a netrc(5) file; `default` matches every
// host.
[[nodiscard]] std::optional<std::string> find_in_netrc(std::string_view text,
                                                       std::string_view host,
                                                       std::string_view user);

// Takes the password from the first line of `password_file` if one is given, else from
// $MTQP_SMTP_PASSWORD, which is removed from the environment, else from ~/.netrc. Returns an error
// if none of them has it. Throws std::system_error if ~/.netrc cannot be read, or if others may
// read it.
[[nodiscard]] Expected<Credentials> read_credentials(const std::string& user,
                                                     const std::string& host,
                                                     const std::string& password_file);

}  // namespace mtrk::cli

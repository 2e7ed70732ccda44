#pragma once

#include <string>
#include <string_view>

// What is wrong with bytes from outside. The broken environment (disk, socket, LMDB) is an
// exception instead; a thing that may be absent is std::optional.
namespace mtrk {

enum class ErrorCode {
  syntax,        // does not match the grammar
  too_long,      // over a limit of an RFC or of ours
  out_of_range,  // well-formed, but a value nobody may use
  not_allowed,   // well-formed, but forbidden here (RFC 3886 combinations, say)
  unsupported,   // a newer format, an unknown kind
  corrupt,       // a checksum or an internal length is wrong
};

struct Error {
  ErrorCode code;
  std::string detail;  // says what, where and which value; never a secret
};

[[nodiscard]] std::string_view to_string(ErrorCode code);

}  // namespace mtrk

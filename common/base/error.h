#pragma once

#include <string>
#include <string_view>

// An Error says what is wrong with bytes that came from outside. A failure of the environment
// (disk, socket, LMDB) is an exception instead; a thing that may be absent is a std::optional.
namespace mtrk {

enum class ErrorCode {
  syntax,        // the text does not match the grammar
  too_long,      // a limit of an RFC or of this project is exceeded
  out_of_range,  // the text is well-formed, but the value is invalid
  not_allowed,   // the value is forbidden in this place (by RFC 3886, for example)
  unsupported,   // the format is newer, or the kind is unknown
  corrupt,       // a checksum or an internal length is wrong
};

struct Error {
  ErrorCode code;
  std::string detail;  // says what, where and which value; never holds a secret
};

[[nodiscard]] std::string_view to_string(ErrorCode code);

}  // namespace mtrk

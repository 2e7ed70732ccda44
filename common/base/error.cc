#include "common/base/error.h"

namespace mtrk {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::syntax:
      return "syntax error";
    case ErrorCode::too_long:
      return "too long";
    case ErrorCode::out_of_range:
      return "out of range";
    case ErrorCode::not_allowed:
      return "not allowed";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::corrupt:
      return "corrupt";
  }
  return "error";
}

}  // namespace mtrk

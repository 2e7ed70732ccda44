#pragma once

#include "common/base/error.h"

#include <tl/expected.hpp>

// Expected<T> is the result type for bytes from outside (contrib/doc/coding.md, the error rule).
// Only those members of tl::expected are used that std::expected has, so that this header can
// become two using-declarations once the compilers have <expected>.
namespace mtrk {

template <typename T>
using Expected = tl::expected<T, Error>;

using Unexpected = tl::unexpected<Error>;

// Makes an error result: `return fail(ErrorCode::syntax, "…");`.
[[nodiscard]] inline Unexpected fail(ErrorCode code, std::string detail) {
  return Unexpected(Error{code, std::move(detail)});
}

}  // namespace mtrk

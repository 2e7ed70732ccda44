#pragma once

#include "common/base/error.h"

#include <tl/expected.hpp>

// The project's result type for bytes from outside (contrib/doc/coding.md, the error rule). It is
// std::expected's interface; only members that std has are used, so that the day the compiler has
// <expected> this header becomes two using-declarations.
namespace mtrk {

template <typename T>
using Expected = tl::expected<T, Error>;

using Unexpected = tl::unexpected<Error>;

// Shorthand for `return fail(ErrorCode::syntax, "…")`.
[[nodiscard]] inline Unexpected fail(ErrorCode code, std::string detail) {
  return Unexpected(Error{code, std::move(detail)});
}

}  // namespace mtrk

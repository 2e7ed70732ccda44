#pragma once

#include "common/base/expected.h"

#include <string>
#include <string_view>
#include <vector>

// This is as much of MIME as a tracking report needs (RFC 2045 §5.1, RFC 2046 §5.1). The parsers
// are liberal.
namespace mtrk {

struct ContentType {
  std::string media_type;  // lower case: "multipart/related"
  std::string boundary;    // of a multipart; empty if absent
};
// Parses a value like "multipart/related; boundary=%%%%; type=tracking-status". The boundary may be
// quoted or not, and may contain characters outside the token alphabet. Other parameters are
// skipped.
[[nodiscard]] ContentType parse_content_type(std::string_view value);

struct Entity {
  ContentType type;  // empty if there is no Content-Type
  std::string_view body;
};
// Splits an entity into its header, which ends at the first empty line, and its body.
[[nodiscard]] Entity split_entity(std::string_view entity);

// Returns the body parts between the delimiter lines, without preamble and epilogue. The line end
// before a delimiter belongs to the delimiter. A missing closing delimiter is tolerated. Fails if
// there are more than `limit` parts.
[[nodiscard]] Expected<std::vector<std::string_view>> split_multipart(std::string_view body,
                                                                      std::string_view boundary,
                                                                      std::size_t limit);

}  // namespace mtrk

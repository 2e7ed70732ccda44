#pragma once

#include "common/base/expected.h"

#include <string>
#include <string_view>
#include <vector>

// As much of MIME as a tracking report needs (RFC 2045 §5.1, RFC 2046 §5.1), read liberally.
namespace mtrk {

struct ContentType {
  std::string media_type;  // lower case: "multipart/related"
  std::string boundary;    // of a multipart; empty if absent
};
// "multipart/related; boundary=%%%%; type=tracking-status": quoted or not, characters outside the
// token alphabet included. Other parameters are passed over.
[[nodiscard]] ContentType parse_content_type(std::string_view value);

struct Entity {
  ContentType type;  // empty if there is no Content-Type
  std::string_view body;
};
// The header up to the first empty line, and the rest.
[[nodiscard]] Entity split_entity(std::string_view entity);

// The body parts between the delimiter lines, preamble and epilogue left out; the line end before a
// delimiter belongs to it. A missing closing delimiter is forgiven. Fails: more than `limit` parts.
[[nodiscard]] Expected<std::vector<std::string_view>> split_multipart(std::string_view body,
                                                                      std::string_view boundary,
                                                                      std::size_t limit);

}  // namespace mtrk

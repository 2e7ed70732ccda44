#include "common/track/address.h"

#include "common/base/ascii.h"
#include "common/track/atom.h"
#include "common/track/xtext.h"

#include <algorithm>

namespace mtrk {
namespace {

// Removes a source route: "@hop1,@hop2:a@b" is a@b (RFC 5321 §4.1.1.3 and appendix C). A ':' may
// also occur inside an address literal, as in "@[IPv6:2001:db8::1]:a@b".
std::string_view without_source_route(std::string_view path) {
  if (path.empty() || path.front() != '@') {
    return path;
  }
  bool in_literal = false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '[' || path[i] == ']') {
      in_literal = path[i] == '[';
    } else if (path[i] == ':' && !in_literal) {
      return path.substr(i + 1);
    }
  }
  return path;
}

}  // namespace

Expected<TypedAddress> parse_orcpt(std::string_view value) {
  const std::size_t semicolon = value.find(';');
  if (semicolon == std::string_view::npos || !is_atom(value.substr(0, semicolon))) {
    return fail(ErrorCode::syntax, "ORCPT has no address type");
  }
  Expected<std::string> address = decode_xtext(value.substr(semicolon + 1));
  if (!address) {
    return fail(ErrorCode::syntax, "ORCPT is not xtext");
  }
  return TypedAddress{std::string(value.substr(0, semicolon)), *std::move(address)};
}

Expected<TypedAddress> parse_typed_address(std::string_view text) {
  const std::size_t semicolon = text.find(';');
  const std::string_view type = trim(text.substr(0, semicolon));
  if (semicolon == std::string_view::npos || !is_atom(type)) {
    return fail(ErrorCode::syntax, "address without a type");
  }
  const std::string_view value = trim(text.substr(semicolon + 1));
  if (value.empty()) {
    return fail(ErrorCode::syntax, "nothing after the address type");
  }
  return TypedAddress{std::string(type), std::string(value)};
}

TypedAddress address_from_rcpt(std::string_view argument) {
  std::string_view path = trim(argument);
  if (path.size() >= 2 && path.front() == '<' && path.back() == '>') {
    path = path.substr(1, path.size() - 2);
  }
  path = without_source_route(path);
  const bool ascii = std::none_of(path.begin(), path.end(),
                                  [](char c) { return static_cast<unsigned char>(c) > 127; });
  return {ascii ? "rfc822" : "utf-8", std::string(path)};
}

std::string recipient_key(std::string_view address) {
  return to_lower(address);
}

}  // namespace mtrk

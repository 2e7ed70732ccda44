#include "common/track/mta_name.h"

#include "common/base/ascii.h"
#include "common/track/atom.h"

namespace mtrk {

MtaName local_mta_name(std::string_view hostname) {
  const bool literal = hostname.size() > 2 && hostname.front() == '[' && hostname.back() == ']';
  const bool dns = literal || hostname.find('.') != std::string_view::npos;
  return {dns ? "dns" : "x-local-hostname", std::string(hostname)};
}

Expected<MtaName> parse_mta_name(std::string_view text) {
  const std::size_t semicolon = text.find(';');
  const std::string_view type = trim(text.substr(0, semicolon));
  if (semicolon == std::string_view::npos || !is_atom(type)) {
    return fail(ErrorCode::syntax, "MTA name without a type");
  }
  const std::string_view name = trim(text.substr(semicolon + 1));
  if (name.empty()) {
    return fail(ErrorCode::syntax, "nothing after the MTA name type");
  }
  return MtaName{std::string(type), std::string(name)};
}

}  // namespace mtrk

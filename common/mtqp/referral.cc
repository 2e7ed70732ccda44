#include "common/mtqp/referral.h"

#include "common/base/ascii.h"
#include "common/mtqp/uri.h"

#include <string_view>

namespace mtrk::mtqp {

std::optional<std::string> host_of_mta(const MtaName& mta) {
  if (!iequals(mta.type, "dns")) {
    return std::nullopt;
  }
  std::string_view name = mta.name;
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    name = name.substr(1, name.size() - 2);
    if (istarts_with(name, "IPv6:")) {
      name.remove_prefix(5);
    } else if (name.find_first_not_of("0123456789.") != std::string_view::npos) {
      return std::nullopt;
    }
  }
  const Expected<HostPort> host = parse_host_port(name);
  if (!host || host->port) {
    return std::nullopt;
  }
  return host->host;
}

}  // namespace mtrk::mtqp

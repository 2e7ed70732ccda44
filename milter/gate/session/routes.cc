#include "milter/gate/session/routes.h"

#include "common/base/ascii.h"

#include <utility>

namespace mtrk::smtp {
namespace {

constexpr std::size_t kMaxDomain = 255;  // RFC 5321 §4.5.3.1.2

}  // namespace

void GateRoutes::add(std::string_view domain, GateRoute route) {
  rules_.emplace(to_lower(domain), std::move(route));
}

const GateRoute& GateRoutes::find(std::string_view domain) const {
  if (rules_.empty() || domain.size() > kMaxDomain) {
    return others_;
  }
  const std::string lower = to_lower(domain);
  if (const auto own = rules_.find(lower); own != rules_.end()) {
    return own->second;
  }
  const std::string_view name = lower;
  for (std::size_t dot = name.find('.', 1); dot != std::string_view::npos;
       dot = name.find('.', dot + 1)) {
    if (const auto above = rules_.find(name.substr(dot)); above != rules_.end()) {
      return above->second;
    }
  }
  return others_;
}

std::string GateRoutes::key(std::string_view domain) const {
  const GateRoute& route = find(domain);
  std::string key = std::to_string(static_cast<int>(route.tls));
  if (route.host.empty()) {
    return key.append("@").append(to_lower(domain));
  }
  return key.append(" ").append(route.host).append(" ").append(std::to_string(route.port));
}

std::string_view domain_of(std::string_view path) {
  const std::size_t at = path.rfind('@');
  std::string_view domain = at == std::string_view::npos ? "" : path.substr(at + 1);
  if (domain.find('"') != std::string_view::npos) {
    return {};  // the "@" lies within the local part
  }
  if (!domain.empty() && domain.back() == '.') {
    domain.remove_suffix(1);
  }
  return domain;
}

}  // namespace mtrk::smtp

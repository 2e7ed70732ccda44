#include "mtqpd/mtqp/ask/resolve.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "common/base/print_error.h"
#include "common/base/utf8.h"
#include "common/mtqp/uri.h"
#include "mtqpd/mtqp/base/network.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace mtrk::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxTarget = 300;

bool found_nothing(const net::Discovery& found) {
  return std::all_of(found.targets.begin(), found.targets.end(),
                     [](const net::Target& target) { return target.addresses.empty(); });
}

json::object to_json(const net::Target& target) {
  json::object object;
  object["host"] = escape_for_people(target.host, kMaxTarget);
  object["port"] = target.port;
  if (target.srv) {
    object["priority"] = target.srv->priority;
    object["weight"] = target.srv->weight;
  }
  json::array addresses;
  for (const net::asio::ip::address& address : target.addresses) {
    addresses.push_back(json::string(address.to_string()));
  }
  object["addresses"] = std::move(addresses);
  if (!target.trouble.empty()) {
    object["detail"] = escape_for_people(target.trouble);
  }
  return object;
}

int report_failure(const ResolveOptions& options, const std::string& why) {
  if (options.json) {
    json::object object;
    object["v"] = 1;
    object["host"] = options.host;
    object["error"] = std::string(to_string(Trouble::network));
    object["detail"] = escape_for_people(why);
    fmt::print("{}\n", escape_json(json::serialize(object)));
  } else {
    print_error("mtqp: {}\n", escape_for_people(why));
  }
  return static_cast<int>(Trouble::network);
}

}  // namespace

std::string format_discovery(const net::Discovery& found) {
  std::string text;
  for (const net::Target& target : found.targets) {
    text += escape_for_people(mtqp::format_host_port(target.host, target.port), kMaxTarget);
    text += target.srv ? fmt::format("  by SRV, priority {}, weight {}", target.srv->priority,
                                     target.srv->weight)
                       : std::string("  by its own addresses");
    text += "\n";
    for (const net::asio::ip::address& address : target.addresses) {
      text += "  " + address.to_string() + "\n";
    }
    if (!target.trouble.empty()) {
      text += "  " + escape_for_people(target.trouble) + "\n";
    }
  }
  return text;
}

std::string format_discovery_json(const std::string& host, const net::Discovery& found) {
  json::object object;
  object["v"] = 1;
  object["host"] = escape_for_people(host, kMaxTarget);
  object["srv"] = found.srv;
  json::array targets;
  for (const net::Target& target : found.targets) {
    targets.push_back(to_json(target));
  }
  object["targets"] = std::move(targets);
  return escape_json(json::serialize(object)) + "\n";
}

int run_resolve(const ResolveOptions& options) {
  Expected<mtqp::HostPort> place = mtqp::parse_host_port(options.host);
  Expected<std::unique_ptr<net::DnsResolver>> resolver = make_resolver(options);
  if (!place || !resolver) {
    print_error("mtqp: {}\n", place ? resolver.error().detail : place.error().detail);
    return exit_code::usage;
  }
  tl::expected<net::Discovery, std::string> found =
      run_to_end((*resolver)->discover(place->host, place->port));
  if (!found) {
    return report_failure(options, found.error());
  }
  fmt::print("{}",
             options.json ? format_discovery_json(place->host, *found) : format_discovery(*found));
  return found_nothing(*found) ? static_cast<int>(Trouble::network) : exit_code::ok;
}

}  // namespace mtrk::cli

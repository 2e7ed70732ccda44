#include "mtqpd/mtqp_track.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "common/base/wipe.h"
#include "common/mtqp/uri.h"
#include "mtqpd/mtqp_ask.h"
#include "mtqpd/mtqp_hops.h"
#include "mtqpd/mtqp_json.h"
#include "mtqpd/mtqp_secret.h"
#include "mtqpd/mtqp_timeline.h"

#include <fmt/format.h>

#include <langinfo.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>

namespace mtrk::cli {
namespace {

struct Query {
  Server server;
  EnvelopeId envelope_id;
  TrackingSecret secret;
};

Expected<Query> query_from_uri(std::string_view text) {
  Expected<mtqp::TrackUri> uri = mtqp::parse_track_uri(trim(text));
  if (!uri) {
    return Unexpected(std::move(uri.error()));
  }
  return Query{
      {std::move(uri->host), uri->port}, std::move(uri->envelope_id), std::move(uri->secret)};
}

Expected<Query> query_from_stdin() {
  std::string line;
  std::getline(std::cin, line);
  if (!line.empty() && line.back() == '\r') {
    line.pop_back();
  }
  Expected<Query> query = query_from_uri(line);
  wipe(line);
  return query;
}

Expected<Query> query_from_parts(const TrackOptions& options) {
  if (options.server.empty()) {
    return fail(ErrorCode::syntax, "an ENVID needs --server HOST; or give an mtqp: URI");
  }
  Expected<mtqp::HostPort> server = mtqp::parse_host_port(options.server);
  if (!server) {
    return fail(ErrorCode::syntax, "--server: " + server.error().detail);
  }
  Expected<EnvelopeId> envelope_id = EnvelopeId::parse_xtext(options.target);
  if (!envelope_id) {
    return fail(ErrorCode::syntax, "the ENVID is malformed: " + envelope_id.error().detail);
  }
  Expected<TrackingSecret> secret = !options.secret_file.empty()
                                        ? read_secret_file(options.secret_file)
                                    : options.secret_stdin ? read_secret(std::cin)
                                                           : take_secret_from_environment();
  if (!secret) {
    return Unexpected(std::move(secret.error()));
  }
  return Query{
      {std::move(server->host), server->port}, std::move(*envelope_id), std::move(*secret)};
}

Expected<Query> query_of(const TrackOptions& options) {
  const bool is_uri = istarts_with(options.target, "mtqp:");
  if (!is_uri && options.target != "-") {
    return query_from_parts(options);
  }
  if (!options.server.empty() || !options.secret_file.empty() || options.secret_stdin) {
    return fail(ErrorCode::syntax, "a URI names server and secret itself");
  }
  return is_uri ? query_from_uri(options.target) : query_from_stdin();
}

std::string local_time(TimePoint at) {
  const std::time_t seconds = at.time_since_epoch().count();
  std::tm fields{};
  char text[sizeof "2001-01-01 15:15:15"];
  if (::localtime_r(&seconds, &fields) == nullptr ||
      std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &fields) == 0) {
    return std::string(sizeof text - 1, '?');
  }
  return text;
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
  return value != nullptr && *value != '\0';
}

TimelineStyle style_of(Color color) {
  TimelineStyle style;
  std::setlocale(LC_CTYPE, "");  // NOLINT(concurrency-mt-unsafe): one thread
  style.unicode = std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
  const char* term = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe)
  const bool plain = is_set("NO_COLOR") || term == nullptr || std::string_view(term) == "dumb";
  style.color = color == Color::always ||
                (color == Color::automatic && ::isatty(STDOUT_FILENO) == 1 && !plain);
  style.time = local_time;
  return style;
}

// The octets as they came, but nothing that could steer a terminal.
void print_raw(std::string_view body) {
  if (::isatty(STDOUT_FILENO) != 1) {
    std::fwrite(body.data(), 1, body.size(), stdout);
    return;
  }
  while (!body.empty()) {
    const std::size_t end = std::min(body.find("\r\n"), body.size());
    fmt::print("{}\n", escape_for_people(body.substr(0, end), mtqp::kMaxLine));
    body.remove_prefix(std::min(end + 2, body.size()));
  }
}

void print(const Travel& travel, const TrackOptions& options) {
  for (std::size_t i = 0; options.json && i < travel.hops.size(); ++i) {
    fmt::print("{}", format_hop(i + 1, travel.hops[i]));
  }
  for (const Hop& hop : travel.hops) {
    if (options.raw && hop.answer() != nullptr) {
      print_raw(hop.answer()->body);
    }
    if (options.raw && hop.failure() != nullptr) {
      fmt::print(stderr, "mtqp: {}: {}\n", to_string(hop.server),
                 escape_for_people(hop.failure()->detail));
    }
  }
  if (!options.json && !options.raw) {
    fmt::print("{}", format_timeline(travel, style_of(options.color)));
  }
}

}  // namespace

int run_track(const TrackOptions& options) {
  const Expected<Query> query = query_of(options);
  Expected<net::AddressResolver::FixedNames> fixed = parse_fixed_names(options.resolve);
  if (!query || !fixed) {
    fmt::print(stderr, "mtqp: {}\n", query ? fixed.error().detail : query.error().detail);
    return exit_code::usage;
  }
  Asker asker(query->envelope_id, query->secret, options, std::move(*fixed));
  const FollowPolicy policy{options.follow, options.max_hops, options.port};
  const Travel travelled =
      travel(query->server, policy, [&](const Server& server) { return asker.ask(server); });
  print(travelled, options);
  return exit_code_of(travelled);
}

}  // namespace mtrk::cli

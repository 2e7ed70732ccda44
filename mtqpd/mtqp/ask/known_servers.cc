#include "mtqpd/mtqp/ask/known_servers.h"

#include "common/base/ascii.h"
#include "mtqpd/mtqp/answer/json.h"
#include "mtqpd/mtqp/base/state_file.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>

namespace mtrk::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxFile = 1UL << 20U;

const std::string& key_of(const net::MtqpPeer& peer) {
  return peer.certificates.chain.front().key;
}

}  // namespace

Judgement judge(const KnownServer* known, const net::MtqpPeer& peer) {
  if (known == nullptr) {
    return {};
  }
  if (!peer.tls) {
    return {Judgement::Kind::downgrade, *known};
  }
  if (peer.certificates.chain.empty() || key_of(peer) == known->key) {
    return {};
  }
  return {Judgement::Kind::new_key, *known};
}

Expected<KnownServer> parse_known_server(std::string_view line) {
  json::error_code error;
  const json::value value = json::parse({line.data(), line.size()}, error);
  const json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr) {
    return fail(ErrorCode::syntax, "not a JSON object");
  }
  const auto since = parse_rfc3339(text_member(*object, "since"));
  const auto seen = parse_rfc3339(text_member(*object, "seen"));
  KnownServer server{text_member(*object, "server"), text_member(*object, "key"), {}, {}};
  if (!since || !seen || server.server.empty() || server.key.empty()) {
    return fail(ErrorCode::syntax, "no record of a server");
  }
  server.since = std::chrono::floor<Seconds>(since->at);
  server.seen = std::chrono::floor<Seconds>(seen->at);
  return server;
}

std::string format_known_server(const KnownServer& server) {
  json::object object;
  object["v"] = 1;
  object["server"] = server.server;
  object["key"] = server.key;
  object["since"] = format_rfc3339(server.since);
  object["seen"] = format_rfc3339(server.seen);
  return json::serialize(object) + "\n";
}

KnownServers::KnownServers(std::string path) : path_(std::move(path)) {
  load();
}

void KnownServers::load() {
  servers_.clear();
  if (path_.empty()) {
    return;
  }
  const std::string text = read_private(path_, kMaxFile);
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (Expected<KnownServer> server = parse_known_server(rest.substr(0, end))) {
      servers_.push_back(std::move(*server));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

const KnownServer* KnownServers::find(std::string_view server) const {
  const auto found = std::find_if(servers_.begin(), servers_.end(), [&](const KnownServer& known) {
    return iequals(known.server, server);
  });
  return found == servers_.end() ? nullptr : &*found;
}

void KnownServers::remember(const std::string& server, const net::MtqpPeer& peer, TimePoint now) {
  if (path_.empty() || !peer.tls || peer.certificates.chain.empty()) {
    return;
  }
  const KnownServer* known = find(server);
  if (known != nullptr && known->key == key_of(peer) && now - known->seen < std::chrono::days(1)) {
    return;
  }
  // The lock is on a file of its own, because the file itself is replaced as a whole.
  make_private_folder(path_);
  const UniqueFd lock = open_private(path_ + ".lock", O_WRONLY | O_CREAT);
  lock_exclusively(lock, path_ + ".lock");
  load();  // reads what other programs have learned meanwhile
  known = find(server);
  KnownServer met{to_lower(server), key_of(peer), now, now};
  if (known != nullptr && known->key == met.key) {
    met.since = known->since;
  }
  std::erase_if(servers_, [&](const KnownServer& one) { return iequals(one.server, server); });
  servers_.push_back(std::move(met));
  if (servers_.size() > kMaxServers) {
    servers_.erase(servers_.begin());
  }
  std::string text;
  for (const KnownServer& one : servers_) {
    text += format_known_server(one);
  }
  const std::string fresh = path_ + ".new";
  const UniqueFd fd = open_private(fresh, O_WRONLY | O_CREAT | O_TRUNC);
  write_all(fd, text, fresh);
  if (::fsync(fd.get()) != 0 || std::rename(fresh.c_str(), path_.c_str()) != 0) {
    throw std::system_error(errno, std::generic_category(), path_);
  }
  sync_folder_of(path_);
}

}  // namespace mtrk::cli

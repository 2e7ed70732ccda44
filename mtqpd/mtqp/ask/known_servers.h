#pragma once

#include "common/base/expected.h"
#include "common/base/time.h"
#include "common/net/mtqp_client.h"

#include <string>
#include <string_view>
#include <vector>

// Remembers what earlier sessions learned about servers, so that an attacker on the path who
// removes STARTTLS or shows another certificate is noticed (RFC 3887 §11, MTQP-11-04, -05).
namespace mtrk::cli {

struct KnownServer {
  std::string server;  // "mx.example:1038", in lower case
  // Its certificate had a public key with this SHA-256, in hexadecimal.
  std::string key;
  TimePoint since;  // when `key` was first seen
  TimePoint seen;   // when it last had TLS
};

// A Judgement compares a session with what was known. Pure.
struct Judgement {
  enum class Kind { fine, downgrade, new_key } kind = Kind::fine;
  KnownServer before;  // what was known; empty if `kind` is fine
};
// `known` is null for a server that was never met with TLS.
[[nodiscard]] Judgement judge(const KnownServer* known, const net::MtqpPeer& peer);

[[nodiscard]] Expected<KnownServer> parse_known_server(
    // Parses a line of the file.
    std::string_view line);
// Returns a line of the file, with its line end.
[[nodiscard]] std::string format_known_server(const KnownServer& server);

// KnownServers is the file: one JSON object in a line, mode 0600, at most kMaxServers of them, and
// those met last at the end. Programs that write it at the same time take turns.
class KnownServers {
 public:
  static constexpr std::size_t kMaxServers = 1000;

  // Reads the file; a missing one is like an empty one. An empty `path` remembers nothing. Throws
  // std::system_error if the file cannot be read, or if others may read it.
  explicit KnownServers(std::string path);

  [[nodiscard]] const KnownServer* find(std::string_view server) const;
  // Records that a session had TLS. Nothing is written if nothing new was learned within a day.
  // Throws std::system_error.
  void remember(const std::string& server, const net::MtqpPeer& peer, TimePoint now);

 private:
  void load();

  std::string path_;
  std::vector<KnownServer> servers_;
};

}  // namespace mtrk::cli

#pragma once

#include "common/base/expected.h"
#include "common/base/time.h"
#include "common/net/mtqp_client.h"

#include <string>
#include <string_view>
#include <vector>

// What earlier sessions knew of servers, so that somebody in between who takes STARTTLS away or
// shows another certificate is noticed (RFC 3887 §11, MTQP-11-04, -05).
namespace mtrk::cli {

struct KnownServer {
  std::string server;  // "mx.example:1038", lower case
  std::string key;     // SHA-256 of the public key its certificate had, hexadecimal
  TimePoint since;     // of `key`
  TimePoint seen;      // last time with TLS
};

// What the memory has to say about a session. Pure.
struct Judgement {
  enum class Kind { fine, downgrade, new_key } kind = Kind::fine;
  KnownServer before;  // of what was known, unless fine
};
// `known` may be null: a server that was never met with TLS.
[[nodiscard]] Judgement judge(const KnownServer* known, const net::MtqpPeer& peer);

[[nodiscard]] Expected<KnownServer> parse_known_server(
    std::string_view line);                                                // a line of the file
[[nodiscard]] std::string format_known_server(const KnownServer& server);  // with line end

// The file: one JSON object a line, 0600, the servers met last at the end, at most kMaxServers of
// them. Programs that write it at the same time take turns.
class KnownServers {
 public:
  static constexpr std::size_t kMaxServers = 1000;

  // Reads the file; none is as good as an empty one. Throws std::system_error if it cannot be read
  // or others may read it. An empty `path` remembers nothing.
  explicit KnownServers(std::string path);

  [[nodiscard]] const KnownServer* find(std::string_view server) const;
  // Writes down that a session with TLS was had; nothing is written if nothing new was learned
  // within a day. Throws std::system_error.
  void remember(const std::string& server, const net::MtqpPeer& peer, TimePoint now);

 private:
  void load();

  std::string path_;
  std::vector<KnownServer> servers_;
};

}  // namespace mtrk::cli

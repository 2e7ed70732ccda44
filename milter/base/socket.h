#pragma once

#include "common/base/expected.h"
#include "common/base/file_id.h"
#include "common/base/unique_fd.h"

#include <string>
#include <string_view>

// Parses and publishes the address at which the MTA reaches the milter.
namespace mtrk {

struct MilterAddress {
  bool tcp = false;
  std::string path;        // absolute; for unix sockets
  std::string connection;  // as libmilter spells it
};

// Parses "unix:/path" (or "local:/path"), or TCP on a loopback address: "inet:port@127.0.0.1",
// "inet6:port@::1", "inet:port@localhost". Anything else is an error, because the protocol has no
// authentication.
[[nodiscard]] Expected<MilterAddress> parse_milter_address(std::string_view text);

// Gives a bound socket its public name. libmilter removes its socket's path when it stops, even if
// a newer instance owns the path by then (THR-R4). So it binds m.<pid>.sock beside the public name,
// and the bound socket is renamed onto that name. The name is never absent and never a symbolic
// link (Sendmail refuses those), and it is removed only while it is still this very socket.
class PublishedSocket {
 public:
  // Returns the path to bind before publishing.
  [[nodiscard]] static std::string private_path(const std::string& public_path);

  // Replaces whatever socket has the name. Throws std::system_error.
  PublishedSocket(const std::string& bound_path, std::string public_path);
  ~PublishedSocket() { unpublish(); }
  PublishedSocket(const PublishedSocket&) = delete;
  PublishedSocket& operator=(const PublishedSocket&) = delete;

  // Removes the name if it still leads to this socket. New connections are refused from then on.
  void unpublish();
  // Connects once, whatever the name leads to, which makes libmilter's listener look around.
  void knock() const;

 private:
  std::string public_path_;
  UniqueFd handle_;  // O_PATH: it denotes the socket itself
  FileId id_;
  bool published_ = false;
};

}  // namespace mtrk

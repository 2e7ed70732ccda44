#pragma once

#include "common/base/expected.h"
#include "common/base/file_id.h"
#include "common/base/unique_fd.h"

#include <string>
#include <string_view>

// Where the MTA reaches us.
namespace mtrk {

struct MilterAddress {
  bool tcp = false;
  std::string path;        // unix sockets: absolute
  std::string connection;  // as libmilter spells it
};

// "unix:/path" ("local:" too), or TCP on a loopback address: "inet:port@127.0.0.1",
// "inet6:port@::1", "inet:port@localhost". Nothing else: the protocol has no authentication.
[[nodiscard]] Expected<MilterAddress> parse_milter_address(std::string_view text);

// libmilter removes its socket's path when it stops, even if a newer instance owns it by then
// (THR-R4). So it binds m.<pid>.sock beside the public name, and the bound socket is
// renamed onto that name: never absent, never a symbolic link (Sendmail refuses those), and ours to
// remove only while it is this very socket.
class PublishedSocket {
 public:
  // The path to bind before publishing.
  [[nodiscard]] static std::string private_path(const std::string& public_path);

  // Throws std::system_error. Replaces whatever socket has the name.
  PublishedSocket(const std::string& bound_path, std::string public_path);
  ~PublishedSocket() { unpublish(); }
  PublishedSocket(const PublishedSocket&) = delete;
  PublishedSocket& operator=(const PublishedSocket&) = delete;

  // Removes the name if it still leads to this socket. New connections are refused from then on.
  void unpublish();
  // Connects once, whatever the name leads to: makes libmilter's listener look around.
  void knock() const;

 private:
  std::string public_path_;
  UniqueFd handle_;  // O_PATH: names the socket itself
  FileId id_;
  bool published_ = false;
};

}  // namespace mtrk

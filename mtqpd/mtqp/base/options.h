#pragma once

#include "common/config/program_options.h"
#include "common/mtqp/client_session.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// The command line of mtqp(1).
namespace mtrk::cli {

struct TlsOptions {
  mtqp::TlsUse use = mtqp::TlsUse::if_offered;
  bool implicit = false;  // the connection begins with TLS
  std::string ca_file;    // empty = the system's certificates
  std::string name;       // of the server, where the host is given by address or otherwise
  bool insecure = false;  // any certificate will do
  bool srv = false;       // the name an SRV record leads to will do
};

// How names become addresses.
struct LookUpOptions {
  std::vector<std::string> resolve;  // HOST=ADDRESS[:PORT]
  std::string dns;                   // servers to ask instead of the system's
};

struct NewOptions {
  std::string host;     // fqhn of the envelope id; empty = this host
  std::string tracker;  // server of the URI; empty = host
  std::optional<std::uint32_t> timeout;
  bool json = false;
};

struct SendOptions : LookUpOptions {
  std::string smtp;
  std::string from;
  std::vector<std::string> to;
  std::string host;     // EHLO name and fqhn of the envelope id; empty = this host
  std::string tracker;  // server of the URI; empty = the SMTP server's host
  std::optional<std::uint32_t> timeout;
  std::string user;           // to log in as; empty = no login
  std::string password_file;  // empty: $MTQP_SMTP_PASSWORD, then ~/.netrc
  bool untracked_ok = false;
  bool json = false;
  bool verbose = false;
  TlsOptions tls;
  std::string file;  // empty or "-" = standard input
};

enum class Color { automatic, always, never };
struct TrackOptions : LookUpOptions {
  std::string
      target;  // an mtqp: URI, "-", an ENVID as on the wire (xtext), a prefix of `mtqp list`
  std::string server;
  std::string secret_file;
  bool secret_stdin = false;
  bool follow = true;
  std::size_t max_hops = mtqp::kMaxHops;
  std::optional<std::uint16_t> port;  // of servers that answers name; absent = SRV, then 1038
  std::uint32_t timeout = 120;        // seconds to wait for each answer
  TlsOptions tls;
  bool confirm = false;  // ask on the terminal before connecting
  bool json = false;
  bool raw = false;
  bool verbose = false;
  Color color = Color::automatic;
};
struct StatusOptions : TrackOptions {};  // without `raw`
struct WatchOptions : TrackOptions {
  std::uint32_t interval = 10;  // seconds from the first look to the second
  std::uint32_t limit = 0;      // seconds to watch at most; 0 = until it is over
};

struct ListOptions {
  std::size_t count = 20;  // 0 = all
  bool json = false;
};
struct ResolveOptions : LookUpOptions {
  std::string host;
  bool json = false;
};
struct CheckOptions : LookUpOptions {
  std::string host;
  std::uint32_t timeout = 120;
  TlsOptions tls;
  bool json = false;
  bool verbose = false;
};

struct CommandLine {
  ProgramOptions program;
  std::variant<std::monostate,
               NewOptions,
               SendOptions,
               ListOptions,
               TrackOptions,
               StatusOptions,
               WatchOptions,
               ResolveOptions,
               CheckOptions>
      command;
};

// Fills `line`. An exit code if there is nothing left to do: --help, --version (on standard
// output), or exit_code::usage (one line on standard error, which repeats no argument of commands
// that take a secret).
[[nodiscard]] std::optional<int> parse_command_line(const std::vector<std::string>& arguments,
                                                    CommandLine& line);

// Says what is wrong with the command line, on standard error; exit_code::usage.
[[nodiscard]] int usage(const std::string& message);

}  // namespace mtrk::cli

#pragma once

#include "common/config/program_options.h"
#include "common/mtqp/client_session.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// Parses the command line of mtqp(1).
namespace mtrk::cli {

struct TlsOptions {
  mtqp::TlsUse use = mtqp::TlsUse::if_offered;
  bool implicit = false;  // the connection begins with TLS
  std::string ca_file;    // empty: the system's certificates
  // The certificate has to be for this name; empty: for the host that is given.
  std::string name;
  bool insecure = false;  // accept any certificate
  bool srv = false;       // also accept the name to which an SRV record leads
};

// These options say how names become addresses.
struct LookUpOptions {
  std::vector<std::string> resolve;  // HOST=ADDRESS[:PORT]
  std::string dns;                   // servers to ask instead of the system's; may be empty
};

struct NewOptions {
  std::string host;     // host part of the envelope id; empty: this host
  std::string tracker;  // server in the URI; empty: `host`
  std::optional<std::uint32_t> timeout;
  bool json = false;
};

struct SendOptions : LookUpOptions {
  std::string smtp;
  std::string from;
  std::vector<std::string> to;
  std::string host;     // EHLO name and host part of the envelope id; empty: this host
  std::string tracker;  // server in the URI; empty: the SMTP server's host
  std::optional<std::uint32_t> timeout;
  std::string user;           // to log in as; empty: no login
  std::string password_file;  // empty: $MTQP_SMTP_PASSWORD, then ~/.netrc
  bool untracked_ok = false;
  bool json = false;
  bool verbose = false;
  TlsOptions tls;
  std::string file;  // empty or "-": standard input
};

enum class Color { automatic, always, never };
struct TrackOptions : LookUpOptions {
  // This may be an mtqp: URI, "-", an ENVID as on the wire (xtext), or a prefix that `mtqp list`
  // shows.
  std::string target;
  std::string server;
  std::string secret_file;
  bool secret_stdin = false;
  bool follow = true;
  std::size_t max_hops = mtqp::kMaxHops;
  // This is the port of servers that answers name; if absent, SRV records say it, and otherwise it
  // is 1038.
  std::optional<std::uint16_t> port;
  std::uint32_t timeout = 120;  // seconds to wait for each answer
  TlsOptions tls;
  bool confirm = false;  // ask on the terminal before connecting
  bool json = false;
  bool raw = false;
  bool verbose = false;
  Color color = Color::automatic;
};
struct StatusOptions : TrackOptions {};  // `raw` is not used
struct WatchOptions : TrackOptions {
  std::uint32_t interval = 10;  // seconds between the first look and the second
  std::uint32_t limit = 0;      // seconds to watch at most; 0: until it is over
};

struct ListOptions {
  std::size_t count = 20;  // 0: all
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

// Fills `line`. Returns an exit code if nothing is left to do: after --help and --version, which
// print on standard output, or exit_code::usage for a bad command line. The latter prints one line
// on standard error, which repeats no argument of a command that takes a secret.
[[nodiscard]] std::optional<int> parse_command_line(const std::vector<std::string>& arguments,
                                                    CommandLine& line);

// Prints on standard error what is wrong with the command line, and returns exit_code::usage.
[[nodiscard]] int usage(const std::string& message);

}  // namespace mtrk::cli

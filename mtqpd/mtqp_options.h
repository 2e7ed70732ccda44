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
  std::string ca_file;    // empty = the system's certificates
  std::string name;       // of the server, where the host is given by address or otherwise
  bool insecure = false;  // any certificate will do
};

struct NewOptions {
  std::string host;     // fqhn of the envelope id; empty = this host
  std::string tracker;  // server of the URI; empty = host
  std::optional<std::uint32_t> timeout;
  bool json = false;
};

struct SendOptions {
  std::string smtp;
  std::string from;
  std::vector<std::string> to;
  std::string host;     // EHLO name and fqhn of the envelope id; empty = this host
  std::string tracker;  // server of the URI; empty = the SMTP server's host
  std::optional<std::uint32_t> timeout;
  bool untracked_ok = false;
  bool json = false;
  bool verbose = false;
  TlsOptions tls;
  std::string file;  // empty or "-" = standard input
};

enum class Color { automatic, always, never };
struct TrackOptions {
  std::string target;  // an mtqp: URI, "-", or an ENVID as on the wire (xtext)
  std::string server;
  std::string secret_file;
  bool secret_stdin = false;
  bool follow = true;
  std::size_t max_hops = mtqp::kMaxHops;
  std::optional<std::uint16_t> port;  // of servers that answers name; absent = 1038
  std::vector<std::string> resolve;   // HOST=ADDRESS[:PORT]
  std::uint32_t timeout = 120;        // seconds to wait for each answer
  TlsOptions tls;
  bool json = false;
  bool raw = false;
  bool verbose = false;
  Color color = Color::automatic;
};

struct CommandLine {
  ProgramOptions program;
  std::variant<std::monostate, NewOptions, SendOptions, TrackOptions> command;
};

// Fills `line`. An exit code if there is nothing left to do: --help, --version (on standard
// output), or exit_code::usage (one line on standard error, which repeats no argument of `track`).
[[nodiscard]] std::optional<int> parse_command_line(const std::vector<std::string>& arguments,
                                                    CommandLine& line);

}  // namespace mtrk::cli

#pragma once

#include "common/base/expected.h"
#include "common/base/mta.h"
#include "common/base/time.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// /etc/mtrk/mtrk.conf: one TOML file for all programs (mtrk.conf(5)). The struct's initialisers are
// the defaults; contrib/mtrk.conf prints the same, and a test compares the two. The names of
// the keys are a contract. An unknown key, a wrong type, a bad duration or size is an error with
// file:line:column and, for a near miss, a hint.
namespace mtrk {

enum class Forwarding { hide, reveal, final };

// PEM files: a certificate with its chain, and its key.
struct CertificateFiles {
  std::string certificate;
  std::string key;
};

// The next hop of mail to a domain, where it is not that of all others.
struct GateDestination {
  std::string domain;          // "example.net", or ".example.net" for what is below
  std::string nexthop = "mx";  // or "host:port"
  std::string tls;             // empty: gate.outbound.tls
};

struct Config {
  std::string hostname;  // Reporting-MTA; empty = the system's name
  struct Store {
    std::string path = "/var/lib/mtrk";
    std::uint64_t max_size = std::uint64_t{16} << 30;
  } store;
  struct Retention {
    Seconds default_{9 * 24 * 3600};
    Seconds maximum{30 * 24 * 3600};
  } retention;
  struct Milter {
    std::string socket = "unix:/var/spool/postfix/mtrk/milter.sock";
    Milliseconds commit_wait{1000};
    std::string gate_socket;  // "unix:/path"; empty: gate_socket.h
    bool leave_fold = false;  // of tracked mail: for gate.outbound to know it by, and to take off
  } milter;
  struct Log {
    Mta mta = Mta::postfix;
    std::string source = "auto";
    std::vector<std::string> accounts;  // believed in the journal; empty = the usual ones
    Seconds queue_lifetime{5 * 24 * 3600};
    std::vector<std::string> filters{"127.0.0.1:10025"};
    Seconds reconcile{600};                  // 0 = never
    std::vector<std::string> queue_command;  // program and arguments; empty = the MTA's own
  } log;
  struct Privacy {
    Forwarding forwarding = Forwarding::hide;
    bool hide_hosts = false;
  } privacy;
  struct Mtqpd {
    std::vector<std::string> listen{"[::]:1038"};
    std::vector<std::string> listen_tls;
    unsigned threads = 0;  // 0 = one per core
    unsigned max_connections = 10000;
    unsigned max_connections_per_address = 50;
    unsigned misses_per_minute = 30;                         // of one address; 0 = no limit
    std::vector<std::string> trusted{"127.0.0.0/8", "::1"};  // networks without these two limits
    bool log_queries = true;
    std::string stats_file = "/run/mtqpd/mtqpd.stats";
    std::string metrics;  // loopback address of the OpenMetrics listener; empty = none
  } mtqpd;
  struct Tls {
    std::string certificate;  // PEM chain; empty = no TLS
    std::string key;
    std::vector<CertificateFiles> certificates;  // further ones, chosen by the name asked for
    std::string minimum = "1.2";                 // TLS version; older ones are told "insecure"
    std::vector<std::string> require_for;        // fqhn of envelope ids; "*" = all
  } tls;
  struct Chaining {
    bool enabled = false;
    std::vector<std::string> domains;
    std::string hops = "all";           // "all", "final"
    std::vector<std::string> networks;  // private and other special addresses that may be asked
    unsigned port = 1038;               // besides 1038, where SRV records say so
    std::string ca_file;                // PEM authorities of those servers; empty = the system's
    std::string dns;                    // "ADDRESS[:PORT][,...]"; empty = the system's servers
  } chaining;
  struct Gate {
    struct Inbound {
      std::vector<std::string> listen;
      std::string upstream;
      std::string identify = "proxy";  // "proxy", "xclient", "none"
      std::string upstream_tls = "none";
      std::vector<std::string> networks;  // clients that may connect; empty = all
      bool auth_in_clear = false;
      unsigned max_connections = 1000;
      unsigned max_connections_per_address = 50;
    } inbound;
    struct Outbound {
      std::vector<std::string> listen;
      std::string nexthop;                // common/config/next_hop.h; empty = not said
      std::string tls = "opportunistic";  // "none", "opportunistic", "required"
      std::vector<GateDestination> destination;
      unsigned mx_port = 25;
      std::vector<std::string> own_addresses{"127.0.0.0/8", "::1"};
      std::vector<std::string> dns;  // "address:port"; empty = the system's
      std::vector<std::string> networks{"127.0.0.0/8", "::1"};
      unsigned max_connections = 1000;
    } outbound;
  } gate;
};

// `name` is what error messages start with. The error's detail is one or more whole lines, each
// "name:line:column: message".
[[nodiscard]] Expected<Config> parse_config(std::string_view text, std::string_view name);
// Reads the file; a missing or unreadable file is an Error too ("name: cannot read: …").
[[nodiscard]] Expected<Config> load_config(const std::string& path);
// The commented sample: what contrib/mtrk.conf holds.
[[nodiscard]] std::string print_default_config();
// One line per key that differs from the default (all with Show::all): key = value, as in TOML.
enum class Show { changed, all, defaults };
[[nodiscard]] std::string print_config(const Config& config, Show show);

}  // namespace mtrk

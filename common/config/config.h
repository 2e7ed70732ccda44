#pragma once

#include "common/base/expected.h"
#include "common/base/mta.h"
#include "common/base/time.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Config holds /etc/mtrk/mtrk.conf, the one TOML file of all programs (mtrk.conf(5)). The
// initialisers are the defaults; contrib/mtrk.conf prints the same, and a test compares the two.
// The names of the keys are a contract. An unknown key, a wrong type, or a bad duration or size is
// an error with file:line:column and, for a near miss, a hint.
namespace mtrk {

enum class Forwarding { hide, reveal, final };

// CertificateFiles names two PEM files: a certificate with its chain, and its key.
struct CertificateFiles {
  std::string certificate;
  std::string key;
};

// A GateDestination is the next hop of mail to one domain, where it differs from that of all
// others.
struct GateDestination {
  std::string domain;          // "example.net", or ".example.net" for the domains below it
  std::string nexthop = "mx";  // or "host:port"
  std::string tls;             // empty: as gate.outbound.tls
};

struct Config {
  std::string hostname;  // the Reporting-MTA; empty = the system's name
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
    std::string gate_socket;  // "unix:/path"; empty: see gate_socket.h
    // Tracked mail keeps its fold, so that gate.outbound recognises it and removes the fold.
    bool leave_fold = false;
  } milter;
  struct Log {
    Mta mta = Mta::postfix;
    std::string source = "auto";
    std::vector<std::string> accounts;  // trusted in the journal; empty = the usual ones
    Seconds queue_lifetime{5 * 24 * 3600};
    std::vector<std::string> filters{"127.0.0.1:10025"};
    Seconds reconcile{600};                  // 0 = never
    std::vector<std::string> queue_command;  // a program and its arguments; empty = the MTA's own
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
    unsigned misses_per_minute = 30;  // per address; 0 = no limit
    // Clients in these networks are exempt from the two limits above.
    std::vector<std::string> trusted{"127.0.0.0/8", "::1"};
    bool log_queries = true;
    std::string stats_file = "/run/mtqpd/mtqpd.stats";
    std::string metrics;  // loopback address of the OpenMetrics listener; empty = none
  } mtqpd;
  struct Tls {
    std::string certificate;  // PEM chain; empty = no TLS
    std::string key;
    std::vector<CertificateFiles> certificates;  // more certificates, chosen by the requested name
    std::string minimum = "1.2";           // TLS version; older ones get the answer "insecure"
    std::vector<std::string> require_for;  // fqhns of envelope ids; "*" = all
  } tls;
  struct Chaining {
    bool enabled = false;
    std::vector<std::string> domains;
    std::string hops = "all";  // "all", "final"
    // These special (for example private) addresses may be queried.
    std::vector<std::string> networks;
    unsigned port = 1038;  // allowed in SRV records, besides 1038
    std::string ca_file;   // PEM file of their authorities; empty = the system's
    std::string dns;       // "ADDRESS[:PORT][,...]"; empty = the system's servers
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
      std::string nexthop;                // see common/config/next_hop.h; empty = not set
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

// Parses a configuration. Error messages start with `name`: the detail of an Error is one or more
// whole lines "name:line:column: message".
[[nodiscard]] Expected<Config> parse_config(std::string_view text, std::string_view name);
// Reads and parses the file. A missing or unreadable file is an Error, too ("name: cannot read:
// …").
[[nodiscard]] Expected<Config> load_config(const std::string& path);
// Returns the commented sample file, which is the content of contrib/mtrk.conf.
[[nodiscard]] std::string print_default_config();
// Returns one line "key = value", as in TOML, for each key that differs from its default, or for
// all keys.
enum class Show { changed, all, defaults };
[[nodiscard]] std::string print_config(const Config& config, Show show);

}  // namespace mtrk

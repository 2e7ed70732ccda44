#include "common/config/option_table.h"

#include "common/config/text_checks.h"

namespace mtrk {

namespace {

constexpr std::uint64_t kSecond = 1'000;
constexpr std::uint64_t kDay = 86'400 * kSecond;
constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t kTebibyte = std::uint64_t{1} << 40;

constexpr ConfigSection kSections[] = {
    {"store", "Where tracking information is kept: written by mtrk-milter, read by mtqpd."},
    {"retention", "How long the fate of a message can be asked for. Durations: w, d, h, m, s, ms."},
    {"milter", "mtrk-milter towards the mail system."},
    {"log", "The delivery log: what became of each recipient."},
    {"privacy", "What the one who asks may learn."},
    {"mtqpd", "The server that answers (MTQP, RFC 3887)."},
    {"tls", "STARTTLS and the TLS listeners of mtqpd."},
    {"chaining", "Asking the next server on behalf of the client."},
    {"gate.inbound", "mtrk-gate in front of the mail system: announces MTRK and takes it."},
    {"gate.outbound", "mtrk-gate behind the mail system: passes MTRK on to servers that take it."},
};

const ConfigOption kOptions[] = {
    {"", "hostname", [](Config& c) -> std::string& { return c.hostname; }, R"("mx.example.test")",
     "The name this mail system reports itself by (Reporting-MTA), and the name in\n"
     "mtqpd's greeting. Empty: the system's host name.",
     check_host_name_or_empty},

    {"store", "path", [](Config& c) -> std::string& { return c.store.path; }, R"("/srv/mtrk")",
     "Folder of the store, on a local file system (not NFS).", check_absolute_path},
    {"store",
     "max_size",
     [](Config& c) -> std::uint64_t& { return c.store.max_size; },
     R"("512MiB")",
     "The store never grows beyond this; when it is full, new mail is not tracked. It is an\n"
     "upper bound, not reserved. Units: KiB, MiB, GiB, TiB.",
     nullptr,
     {kMebibyte, 64 * kTebibyte}},

    {"retention",
     "default",
     [](Config& c) -> Seconds& { return c.retention.default_; },
     R"("10d")",
     "For messages that ask for no time of their own. At least 1d (RFC 3885, 3.1).",
     nullptr,
     {kDay, 3650 * kDay}},
    {"retention",
     "maximum",
     [](Config& c) -> Seconds& { return c.retention.maximum; },
     R"("90d")",
     "A longer time is silently shortened to this. At least 1d. A message still in the queue is\n"
     "kept in any case.",
     nullptr,
     {kDay, 3650 * kDay}},

    {"milter", "socket", [](Config& c) -> std::string& { return c.milter.socket; },
     R"("inet:8892@127.0.0.1")",
     "Where the mail system connects: unix:/path, or inet:PORT@127.0.0.1 (this host only).",
     check_milter_socket},
    {"milter",
     "commit_wait",
     [](Config& c) -> Milliseconds& { return c.milter.commit_wait; },
     R"("250ms")",
     "How long the end of a tracked message waits for its record to be on disk. After that the\n"
     "mail goes on and the record follows. At most 10s.",
     nullptr,
     {0, 10 * kSecond}},

    {"milter", "leave_fold", [](Config& c) -> bool& { return c.milter.leave_fold; }, "true",
     "Sendmail only, and only if all mail that leaves this host goes through [gate.outbound]:\n"
     "MTRK stays folded into ENVID, as the gate has nothing else to know a message by. The gate\n"
     "takes it off; delivery reports that Sendmail itself writes name it."},

    {"log", "mta", [](Config& c) -> Mta& { return c.log.mta; }, R"("sendmail")",
     "Whose log it is: \"postfix\" or \"sendmail\"."},
    {"log", "source", [](Config& c) -> std::string& { return c.log.source; },
     R"("file:/var/log/mail.log")",
     "Where it is: \"file:/path\", \"journal\" (\"journal:/path\" reads the files there), or "
     "\"auto\"\n"
     "for whichever this system has.",
     check_log_source},
    {"log", "accounts", [](Config& c) -> std::vector<std::string>& { return c.log.accounts; },
     R"(["root", "postfix"])",
     "The accounts whose journal entries are the mail system's, by name or number. Empty: root "
     "and\n"
     "postfix, or root, smmta and smmsp.",
     check_account},
    {"log",
     "queue_lifetime",
     [](Config& c) -> Seconds& { return c.log.queue_lifetime; },
     R"("2d")",
     "How long the mail system tries before it gives up: Postfix maximal_queue_lifetime,\n"
     "Sendmail Timeout.queuereturn. Reported as Will-Retry-Until.",
     nullptr,
     {0, 365 * kDay}},
    {"log", "filters", [](Config& c) -> std::vector<std::string>& { return c.log.filters; },
     R"(["127.0.0.1:10025", "127.0.0.1:10027"])",
     "Relays that hand mail back to this mail system (content filters), as host:port, path of a\n"
     "socket or name of a pipe(8) service: delivery to one of them is followed, not reported.",
     check_filter},
    {"log",
     "reconcile",
     [](Config& c) -> Seconds& { return c.log.reconcile; },
     R"("30m")",
     "How often the mail system is asked what is in its queue. What it has is kept; what is gone\n"
     "without a word in the log is told as such. \"0s\": never.",
     nullptr,
     {0, 24 * 3600 * kSecond}},
    {"log", "queue_command",
     [](Config& c) -> std::vector<std::string>& { return c.log.queue_command; },
     R"(["/usr/local/sbin/postqueue", "-j"])",
     "The program that tells it, with its arguments. Empty: /usr/sbin/postqueue -j, or\n"
     "/usr/sbin/sendmail -bp (asked once more with -qQ, for what is quarantined).",
     nullptr},

    {
        "privacy",
        "forwarding",
        [](Config& c) -> Forwarding& { return c.privacy.forwarding; },
        R"("reveal")",
        "A recipient's mail is forwarded to one other address (RFC 3886, 4.2):\n"
        "\"hide\" the outcome is told, but not which host it went to; \"reveal\" that, too;\n"
        "\"final\" it counts as delivered here. The other address itself is never shown.",
    },
    {"privacy", "hide_hosts", [](Config& c) -> bool& { return c.privacy.hide_hosts; }, "true",
     "Do not name next hops of our own (Remote-MTA): private names and addresses, and hosts\n"
     "in the domain of the reporting host."},

    {"mtqpd", "listen", [](Config& c) -> std::vector<std::string>& { return c.mtqpd.listen; },
     R"(["127.0.0.1:1038", "[::1]:1038"])",
     "Addresses to answer on. [::] is all addresses, IPv4 and IPv6. Port 0 is any free port.",
     check_listen_address},
    {"mtqpd", "listen_tls",
     [](Config& c) -> std::vector<std::string>& { return c.mtqpd.listen_tls; }, R"(["[::]:1039"])",
     "The same for clients that speak TLS from the first octet. Needs [tls].",
     check_listen_address},
    {"mtqpd",
     "threads",
     [](Config& c) -> unsigned& { return c.mtqpd.threads; },
     "2",
     "Threads that answer; 0 is one per processor.",
     nullptr,
     {0, 1024}},
    {"mtqpd",
     "max_connections",
     [](Config& c) -> unsigned& { return c.mtqpd.max_connections; },
     "2000",
     "Connections at the same time.",
     nullptr,
     {1, 1'000'000}},
    {"mtqpd",
     "max_connections_per_address",
     [](Config& c) -> unsigned& { return c.mtqpd.max_connections_per_address; },
     "10",
     "The same from one IPv4 address or one IPv6 /64.",
     nullptr,
     {1, 1'000'000}},
    {"mtqpd",
     "misses_per_minute",
     [](Config& c) -> unsigned& { return c.mtqpd.misses_per_minute; },
     "120",
     "Queries without a result that one address (IPv6: /64) may send in a minute; then all of its\n"
     "queries are told to come later, until it has paused. 0 is no limit.",
     nullptr,
     {0, 1'000'000}},
    {"mtqpd", "trusted", [](Config& c) -> std::vector<std::string>& { return c.mtqpd.trusted; },
     R"(["127.0.0.0/8", "::1", "192.0.2.0/24"])",
     "Networks the limits for one address are not for. A proxy in front of mtqpd belongs here.",
     check_network},
    {"mtqpd", "log_queries", [](Config& c) -> bool& { return c.mtqpd.log_queries; }, "false",
     "A log line for each query (never its id or secret), at most 50 a second for each thread."},
    {"mtqpd", "stats_file", [](Config& c) -> std::string& { return c.mtqpd.stats_file; },
     R"("/run/mtqpd/stats")", "Where mtqpd keeps its counters for mtrkctl stats. Empty: nowhere.",
     check_absolute_path_or_empty},
    {"mtqpd", "metrics", [](Config& c) -> std::string& { return c.mtqpd.metrics; },
     R"("127.0.0.1:9138")",
     "Where the counters are served for Prometheus (OpenMetrics, HTTP), on this host only.\n"
     "Empty: nowhere.",
     check_loopback_or_empty},

    {"tls", "certificate", [](Config& c) -> std::string& { return c.tls.certificate; },
     R"("/etc/ssl/mtrk/fullchain.pem")",
     "PEM file: the certificate and the chain. Empty: no TLS. Read again on SIGHUP.",
     check_absolute_path_or_empty},
    {"tls", "key", [](Config& c) -> std::string& { return c.tls.key; },
     R"("/etc/ssl/mtrk/privkey.pem")", "PEM file: the certificate's private key.",
     check_absolute_path_or_empty},
    {"tls", "certificates",
     [](Config& c) -> std::vector<CertificateFiles>& { return c.tls.certificates; },
     R"([{certificate = "/etc/ssl/b/fullchain.pem", key = "/etc/ssl/b/privkey.pem"}])",
     "Further certificates; each may stand in a section [[tls.certificates]] of its own. The "
     "first\n"
     "one that is for the name a client asks for is shown.",
     check_absolute_path},
    {"tls", "minimum", [](Config& c) -> std::string& { return c.tls.minimum; }, R"("1.3")",
     "Queries over an older version of TLS are answered \"insecure\": \"1.2\" or \"1.3\".",
     check_tls_version},
    {"tls", "require_for", [](Config& c) -> std::vector<std::string>& { return c.tls.require_for; },
     R"(["example.test"])",
     "Domains whose messages are answered for over TLS only: the part of the envelope id after\n"
     "the @. \"*\" is all.",
     check_host_name_or_all},

    {"chaining", "enabled", [](Config& c) -> bool& { return c.chaining.enabled; }, "true",
     "Ask the server a message was transferred to and answer for it, too, where the client could\n"
     "not. The secret of the message is shown to that server."},
    {"chaining", "domains",
     [](Config& c) -> std::vector<std::string>& { return c.chaining.domains; },
     R"(["example.test"])",
     "The domains whose servers may be asked, each with all below it; \"*\" is all.",
     check_host_name_or_all},
    {"chaining", "hops", [](Config& c) -> std::string& { return c.chaining.hops; }, R"("final")",
     "What is told of them: \"all\" hops, or the \"final\" one only, as if it were this host.\n"
     "Names of internal hosts go by privacy.hide_hosts.",
     check_hops},
    {"chaining", "networks",
     [](Config& c) -> std::vector<std::string>& { return c.chaining.networks; },
     R"(["10.0.0.0/8", "fd00::/8"])",
     "Servers at addresses that are not public (private, loopback, this host) are asked only in\n"
     "these networks.",
     check_network},
    {"chaining",
     "port",
     [](Config& c) -> unsigned& { return c.chaining.port; },
     "11038",
     "A port besides 1038 that SRV records may name.",
     nullptr,
     {1, 65535}},
    {"chaining", "ca_file", [](Config& c) -> std::string& { return c.chaining.ca_file; },
     R"("/etc/ssl/mtrk/internal-ca.pem")",
     "PEM file: the authorities of those servers' certificates. Empty: the system's. Read again\n"
     "on SIGHUP.",
     check_absolute_path_or_empty},
    {"chaining", "dns", [](Config& c) -> std::string& { return c.chaining.dns; },
     R"("192.0.2.53,192.0.2.54")", "DNS servers to ask. Empty: the system's."},

    {"gate.inbound", "listen",
     [](Config& c) -> std::vector<std::string>& { return c.gate.inbound.listen; }, R"(["[::]:25"])",
     "Where SMTP clients connect. Empty: this half of the gate is off.", check_listen_address},
    {"gate.inbound", "upstream", [](Config& c) -> std::string& { return c.gate.inbound.upstream; },
     R"("127.0.0.1:10024")", "Where the mail system listens for the gate.",
     check_host_port_or_empty},
    {"gate.inbound", "identify", [](Config& c) -> std::string& { return c.gate.inbound.identify; },
     R"("xclient")",
     "How the mail system is told who the client is: \"proxy\" by the PROXY protocol (Postfix:\n"
     "smtpd_upstream_proxy_protocol = haproxy), \"xclient\" by XCLIENT (Postfix:\n"
     "smtpd_authorized_xclient_hosts), \"none\" not at all (Sendmail): see networks.",
     check_identify},
    {"gate.inbound", "upstream_tls",
     [](Config& c) -> std::string& { return c.gate.inbound.upstream_tls; }, R"("required")",
     "TLS towards the mail system: \"none\", \"opportunistic\" without a look at the\n"
     "certificate, \"required\" with one that is right for upstream.",
     check_tls_use},
    {"gate.inbound", "networks",
     [](Config& c) -> std::vector<std::string>& { return c.gate.inbound.networks; },
     R"(["192.0.2.0/24", "2001:db8::/32"])",
     "Clients that may connect; empty is everybody. With identify = \"none\" it has to be said:\n"
     "to the mail system all of them look like this host.",
     check_network},
    {"gate.inbound", "auth_in_clear",
     [](Config& c) -> bool& { return c.gate.inbound.auth_in_clear; }, "true",
     "Offer AUTH before STARTTLS, too. Without a certificate in [tls] it always is."},
    {"gate.inbound",
     "max_connections",
     [](Config& c) -> unsigned& { return c.gate.inbound.max_connections; },
     "200",
     "Clients at the same time.",
     nullptr,
     {1, 1'000'000}},
    {"gate.inbound",
     "max_connections_per_address",
     [](Config& c) -> unsigned& { return c.gate.inbound.max_connections_per_address; },
     "10",
     "The same from one IPv4 address or one IPv6 /64.",
     nullptr,
     {1, 1'000'000}},

    {"gate.outbound", "listen",
     [](Config& c) -> std::vector<std::string>& { return c.gate.outbound.listen; },
     R"(["127.0.0.1:10023"])",
     "Where the mail system hands its mail to. Empty: this half of the gate is off. The reader of\n"
     "the log believes what these relays say about the next hop.",
     check_listen_address},
    {"gate.outbound", "nexthop", [](Config& c) -> std::string& { return c.gate.outbound.nexthop; },
     R"("mx")",
     "Where mail goes: to a host and port; \"lmtp:host:port\" or \"lmtp:unix:/path\" to a "
     "delivery\n"
     "agent, and then the mail system speaks LMTP to the gate, too; or \"mx\": to the MX of each\n"
     "recipient's domain (then give the transport a recipient limit of 1, see mtrk-gate(8)).",
     check_nexthop_or_empty},
    {"gate.outbound", "tls", [](Config& c) -> std::string& { return c.gate.outbound.tls; },
     R"("required")",
     "TLS towards the next hop: \"none\", \"opportunistic\" without a look at the certificate,\n"
     "\"required\" with one that is right for nexthop; by MX for the domain, or for an MX whose\n"
     "name is within the domain.",
     check_tls_use},
    {"gate.outbound", "destination",
     [](Config& c) -> std::vector<GateDestination>& { return c.gate.outbound.destination; },
     R"([{domain = "partner.example", nexthop = "mx", tls = "required"}])",
     "Domains with a next hop, or a use of TLS, of their own; \".partner.example\" is all below "
     "it.\n"
     "Also written as tables [[gate.outbound.destination]]."},
    {"gate.outbound",
     "mx_port",
     [](Config& c) -> unsigned& { return c.gate.outbound.mx_port; },
     "2525",
     "The port of mail servers found by MX.",
     nullptr,
     {1, 65'535}},
    {"gate.outbound", "own_addresses",
     [](Config& c) -> std::vector<std::string>& { return c.gate.outbound.own_addresses; },
     R"(["127.0.0.0/8", "::1", "192.0.2.25"])",
     "Where MX records must not lead, beside the addresses of this host's interfaces: what else\n"
     "leads back to this mail system, such as its public address behind NAT.",
     check_network},
    {"gate.outbound", "dns",
     [](Config& c) -> std::vector<std::string>& { return c.gate.outbound.dns; },
     R"(["127.0.0.1:53"])",
     "Name servers to ask for next hops by MX and in destination; empty: the system's.",
     check_host_port},
    {"gate.outbound", "networks",
     [](Config& c) -> std::vector<std::string>& { return c.gate.outbound.networks; },
     R"(["127.0.0.1", "192.0.2.25"])",
     "Mail systems that may use it: it relays for whoever may connect.", check_network},
    {"gate.outbound",
     "max_connections",
     [](Config& c) -> unsigned& { return c.gate.outbound.max_connections; },
     "200",
     "Connections at the same time.",
     nullptr,
     {1, 1'000'000}},
};

}  // namespace

std::span<const ConfigOption> config_options() {
  return kOptions;
}

std::span<const ConfigSection> config_sections() {
  return kSections;
}

std::string full_name(const ConfigOption& option) {
  std::string name(option.section);
  if (!name.empty()) {
    name += '.';
  }
  return name.append(option.key);
}

}  // namespace mtrk

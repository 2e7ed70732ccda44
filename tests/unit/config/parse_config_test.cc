#include "common/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mtrk {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string errors_of(std::string_view text) {
  const Expected<Config> config = parse_config(text, "f");
  return config ? std::string("no error") : config.error().detail;
}

TEST(ParseConfigTest, AnEmptyFileIsTheDefaults) {
  const Expected<Config> config = parse_config("", "f");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->store.path, "/var/lib/mtrk");
  EXPECT_EQ(config->retention.default_, Seconds(777600));  // MTRK-3.1-15
  EXPECT_EQ(print_config(*config, Show::changed), "");
}

TEST(ParseConfigTest, EveryKeyReachesItsMember) {
  const Expected<Config> config = parse_config(R"(
hostname = "mx.example.test"
[store]
path = "/srv/mtrk"
max_size = "512MiB"
[retention]
default = "8d"
maximum = "10d"
[milter]
socket = "inet:8892@127.0.0.1"
commit_wait = "250ms"
[log]
mta = "sendmail"
source = "file:/var/log/mail.log"
queue_lifetime = "1d12h"
filters = ["127.0.0.1:10025", "[::1]:10027"]
[privacy]
forwarding = "final"
hide_hosts = true
[mtqpd]
listen = ["127.0.0.1:0"]
listen_tls = ["[::]:1039"]
threads = 2
max_connections = 100
max_connections_per_address = 3
[tls]
certificate = "/c.pem"
key = "/k.pem"
require_for = ["*", "example.test"]
[chaining]
enabled = true
domains = ["example.test"]
hops = "final"
networks = ["10.0.0.0/8"]
port = 11038
ca_file = "/ca.pem"
dns = "192.0.2.53"
[gate.inbound]
listen = ["[::]:25"]
upstream = "127.0.0.1:10024"
[gate.outbound]
listen = ["127.0.0.1:10023"]
nexthop = "relay.example.test:25"
)",
                                               "f");
  ASSERT_TRUE(config.has_value()) << config.error().detail;
  EXPECT_EQ(config->hostname, "mx.example.test");
  EXPECT_EQ(config->store.path, "/srv/mtrk");
  EXPECT_EQ(config->store.max_size, 512U << 20);
  EXPECT_EQ(config->retention.default_, Seconds(8 * 86400));
  EXPECT_EQ(config->retention.maximum, Seconds(10 * 86400));
  EXPECT_EQ(config->milter.socket, "inet:8892@127.0.0.1");
  EXPECT_EQ(config->milter.commit_wait, Milliseconds(250));
  EXPECT_EQ(config->log.mta, Mta::sendmail);
  EXPECT_EQ(config->log.source, "file:/var/log/mail.log");
  EXPECT_EQ(config->log.queue_lifetime, Seconds(36 * 3600));
  EXPECT_EQ(config->log.filters, (std::vector<std::string>{"127.0.0.1:10025", "[::1]:10027"}));
  EXPECT_EQ(config->privacy.forwarding, Forwarding::final);
  EXPECT_TRUE(config->privacy.hide_hosts);
  EXPECT_EQ(config->mtqpd.listen, std::vector<std::string>{"127.0.0.1:0"});
  EXPECT_EQ(config->mtqpd.listen_tls, std::vector<std::string>{"[::]:1039"});
  EXPECT_EQ(config->mtqpd.threads, 2U);
  EXPECT_EQ(config->mtqpd.max_connections, 100U);
  EXPECT_EQ(config->mtqpd.max_connections_per_address, 3U);
  EXPECT_EQ(config->tls.certificate, "/c.pem");
  EXPECT_EQ(config->tls.key, "/k.pem");
  EXPECT_EQ(config->tls.require_for, (std::vector<std::string>{"*", "example.test"}));
  EXPECT_TRUE(config->chaining.enabled);
  EXPECT_EQ(config->chaining.domains, std::vector<std::string>{"example.test"});
  EXPECT_EQ(config->chaining.hops, "final");
  EXPECT_EQ(config->chaining.networks, std::vector<std::string>{"10.0.0.0/8"});
  EXPECT_EQ(config->chaining.port, 11038U);
  EXPECT_EQ(config->chaining.ca_file, "/ca.pem");
  EXPECT_EQ(config->chaining.dns, "192.0.2.53");
  EXPECT_EQ(config->gate.inbound.listen, std::vector<std::string>{"[::]:25"});
  EXPECT_EQ(config->gate.inbound.upstream, "127.0.0.1:10024");
  EXPECT_EQ(config->gate.outbound.listen, std::vector<std::string>{"127.0.0.1:10023"});
  EXPECT_EQ(config->gate.outbound.nexthop, "relay.example.test:25");
}

TEST(ParseConfigTest, WrongValuesAreNamedWithTheirPlace) {
  const struct {
    const char* text;
    const char* want;
  } table[] = {
      {"[milter]\nscoket = \"unix:/x\"",
       "f:2:1: unknown key \"scoket\" in [milter]; did you mean \"socket\"?"},
      {"[milter]\npath = \"/x\"", "f:2:1: unknown key \"path\" in [milter]; it belongs in [store]"},
      {"[store]\nhostname = \"x\"",
       "f:2:1: unknown key \"hostname\" in [store]; it belongs before the first section"},
      {"[milter]\nzzz = 1", "f:2:1: unknown key \"zzz\" in [milter]"},
      {"hostnmae = \"x\"", "f:1:1: unknown key \"hostnmae\"; did you mean \"hostname\"?"},
      {"[stroe]\n", "f:1:2: unknown section [stroe]; did you mean [store]?"},
      {"[gate.inbuond]\n", "f:1:7: unknown section [gate.inbuond]; did you mean [gate.inbound]?"},
      {"[gate]\nlisten = 1", "f:2:1: unknown key \"listen\" in [gate]; it belongs in [mtqpd]"},
      {"store = \"/x\"", "f:1:1: \"store\" is a section, written [store]"},
      {"[hostname]",
       "f:1:1: hostname: expected a string in quotes, not a table; for example "
       "hostname = \"mx.example.test\""},
      {"hostname = 5",
       "f:1:12: hostname: expected a string in quotes, not a whole number; for "
       "example hostname = \"mx.example.test\""},
      {"hostname = \"a b\"", "f:1:12: hostname: \"a b\" is not a host name"},
      {"hostname = \"a\\u0000b\"", "f:1:12: hostname: control characters are not allowed"},
      {"[store]\npath = \"var\"",
       "f:2:8: store.path: \"var\" is not an absolute path (one that starts with /)"},
      {"[store]\nmax_size = \"1023KiB\"",
       "f:2:12: store.max_size: \"1023KiB\" is not from 1MiB to 64TiB"},
      {"[store]\nmax_size = -1",
       "f:2:12: store.max_size: not a size: \"-1\" (write it like \"16GiB\" or \"512MiB\"; units "
       "are KiB, MiB, GiB, TiB or none)"},
      // MTRK-3.1-16
      {"[retention]\ndefault = \"86399s\"",
       "f:2:11: retention.default: \"86399s\" is not from 1d to 3650d"},
      // MTRK-3.1-13
      {"[retention]\nmaximum = \"1h\"\ndefault = \"1d\"",
       "f:2:11: retention.maximum: \"1h\" is not from 1d to 3650d"},
      {"[retention]\ndefault = \"40d\"",
       "f:2:11: retention.default (40d) is above retention.maximum (30d)"},
      {"[retention]\nmaximum = \"8d\"",
       "f:2:11: retention.default (9d) is above retention.maximum (8d)"},
      {"[retention]\ndefault = \"9\"",
       "f:2:11: retention.default: not a duration: \"9\" (write it like \"9d\", \"1h30m\", \"90s\" "
       "or \"250ms\")"},
      {"[retention]\ndefault = 9",
       "f:2:11: retention.default: expected a duration in quotes, not a whole number; for example "
       "default = \"10d\""},
      {"[retention]\ndefault = \"1d1ms\"", "f:2:11: retention.default: whole seconds only"},
      {"[milter]\ncommit_wait = \"11s\"",
       "f:2:15: milter.commit_wait: \"11s\" is not from 0s to 10s"},
      {"[log]\nmta = \"exim\"", "f:2:7: log.mta: \"exim\" is not one of \"postfix\", \"sendmail\""},
      {"[log]\nsource = \"syslog\"",
       "f:2:10: log.source: \"syslog\" is not one of \"auto\", \"journal\", \"journal:/path\", "
       "\"file:/path\""},
      {"[log]\nfilters = \"127.0.0.1:10025\"",
       "f:2:11: log.filters: expected a list of strings, not a string; for example filters = "
       "[\"127.0.0.1:10025\", \"127.0.0.1:10027\"]"},
      {"[log]\nfilters = [\"127.0.0.1:0\"]",
       "f:2:12: log.filters: the port is a number from 1 to 65535, not 0; a filter is "
       "\"host:port\", the path of a socket or the name of a pipe(8) service"},
      {"[privacy]\nforwarding = \"no\"",
       "f:2:14: privacy.forwarding: \"no\" is not one of \"hide\", \"reveal\", \"final\""},
      {"[privacy]\nhide_hosts = \"true\"",
       "f:2:14: privacy.hide_hosts: expected true or false without quotes, not a string; for "
       "example hide_hosts = true"},
      {"[mtqpd]\nthreads = -1", "f:2:11: mtqpd.threads: -1 is not from 0 to 1024"},
      {"[mtqpd]\nmax_connections = 0", "f:2:19: mtqpd.max_connections: 0 is not from 1 to 1000000"},
      {"[mtqpd]\nlisten = [\"[::]:1038\", \"::1:1038\"]",
       "f:2:24: mtqpd.listen: not a host and port: \"::1:1038\": an IPv6 address needs brackets "
       "(write it like \"[::]:1038\" or \"127.0.0.1:1038\")"},
      {"[mtqpd]\nlisten_tls = [\"[::]:1039\"]",
       "f:2:14: mtqpd.listen_tls: needs tls.certificate and tls.key"},
      {"[milter]\nleave_fold = true",
       "f:2:14: milter.leave_fold: only where mail leaves through mtrk-gate (gate.outbound.listen "
       "is empty): next hops would see the fold"},
      {"[tls]\nkey = \"/k\"", "f:2:7: tls.certificate and tls.key: both are needed, or none"},
      {"[milter]\nsocket = \"inet:8892@192.0.2.1\"",
       "f:2:10: milter.socket: only this host may connect: write @localhost, @127.0.0.1 or @::1 "
       "after the port"},
  };
  for (const auto& row : table) {
    EXPECT_EQ(errors_of(row.text), row.want) << row.text;
  }
}

TEST(ParseConfigTest, BareWordsGetTheHintThatStringsNeedQuotes) {
  for (const char* text :
       {"[milter]\nsocket = unix:/x\n", "[retention]\ndefault = 9d # nine\n",
        "[mtqpd]\nlisten = [127.0.0.1:1038]\r\n", "[store]\npath=/var/lib/mtrk"}) {
    const std::string errors = errors_of(text);
    EXPECT_THAT(errors, HasSubstr("f:2:")) << text;
    EXPECT_THAT(errors, HasSubstr("(strings need quotes)")) << text;
  }
}

TEST(ParseConfigTest, AnOpenStringGetsTheHintThatItsEndIsMissing) {
  EXPECT_THAT(errors_of("[milter]\nsocket = \"unix:/x\n"),
              AllOf(StartsWith("f:2:"), EndsWith("(is a closing quote missing?)")));
}

TEST(ParseConfigTest, AllErrorsAreReportedFromTheTopOfTheFile) {
  EXPECT_EQ(errors_of("[mtqpd]\nthreads = -1\nlistem = []\n[milter]\nsocket = unix:/x\n"
                      "commit_wait = 5s\n[log]\nmta = \"exim\"\n"),
            "f:2:11: mtqpd.threads: -1 is not from 0 to 1024\n"
            "f:3:1: unknown key \"listem\" in [mtqpd]; did you mean \"listen\"?\n"
            "f:5:10: could not determine value type (strings need quotes)\n"
            "f:6:16: expected digit, saw 's' (strings need quotes)\n"
            "f:8:7: log.mta: \"exim\" is not one of \"postfix\", \"sendmail\"");
}

TEST(ParseConfigTest, BrokenTomlIsAnErrorWithItsPlace) {
  for (const char* text : {"[store", "[store]\n[store]\n", "a = 1\na = 2\n", "= 1", "a = \"x",
                           "\xff\xfe", "a = [1,", "[[store]]\n", "a.b.c"}) {
    EXPECT_THAT(errors_of(text), StartsWith("f:")) << text;
  }
}

TEST(ParseConfigTest, ManyBareLinesEndInABoundedNumberOfErrors) {
  std::string text;
  for (int i = 0; i < 2000; ++i) {
    text += "k" + std::to_string(i) + " = bare\n";
  }
  const std::string errors = errors_of(text);
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 19);
}

TEST(ParseConfigTest, WhatThisReleaseLacksIsStillReadable) {  // each program refuses for itself
  EXPECT_EQ(
      errors_of("[chaining]\nenabled = true\n[log]\nsource = \"journal\"\nmta = \"sendmail\"\n"
                "[gate.inbound]\nlisten = [\"[::]:25\"]\n"),
      "no error");
}

}  // namespace
}  // namespace mtrk

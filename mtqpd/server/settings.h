#pragma once

#include "common/config/config.h"
#include "common/mtqp/limits.h"
#include "common/net/tls.h"
#include "common/track/confidentiality.h"
#include "mtqpd/chain/chaining.h"
#include "mtqpd/server/address_limiter.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace mtrk::mtqpd {

// The deadlines of a connection (common/mtqp/limits.h). They are parameters only so that tests need
// not wait.
struct Deadlines {
  std::chrono::milliseconds idle{mtqp::kIdle};
  std::chrono::milliseconds started_line{mtqp::kStartedLine};
  std::chrono::milliseconds handshake{mtqp::kHandshake};
  std::chrono::milliseconds write_progress{mtqp::kWriteProgress};
  std::chrono::milliseconds closing{5000};  // to see the peer's end after our last word
  std::chrono::milliseconds sweep{1000};    // how often they are looked at
};

// Everything a running server may change by SIGHUP, as one immutable snapshot: a connection works
// with the one that was current when it began.
struct Settings {
  std::shared_ptr<const net::ServerTls> tls;  // null: TLS is off
  std::shared_ptr<const std::vector<std::string>> tls_required_for;
  Confidentiality confidentiality;
  std::string tls_minimum = "TLSv1.2";  // older sessions are told "insecure"
  AddressLimits limits;
  std::shared_ptr<Chaining> chaining;  // null: other servers are never asked
  bool log_queries = false;
  Deadlines deadlines;
};

// Reads the certificate files, those of authorities, too. Fails: net::TlsError.
[[nodiscard]] std::shared_ptr<const Settings> make_settings(const Config& config);

// What this program cannot do with a valid configuration, as one line; empty = nothing. Includes
// certificates and keys that cannot be used.
[[nodiscard]] std::string check_settings(const Config& config);

// What works but should not stay so, one line each: certificates that are not valid at `now` or not
// for long, or none for the host's own name.
[[nodiscard]] std::vector<std::string> settings_warnings(const Settings& settings,
                                                         const std::string& hostname,
                                                         TimePoint now);

// The wall clock, in the resolution of records.
[[nodiscard]] TimePoint wall_clock();

}  // namespace mtrk::mtqpd

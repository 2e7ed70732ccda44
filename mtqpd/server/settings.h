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

// Deadlines holds the deadlines of a connection (common/mtqp/limits.h). They are parameters only so
// that tests need not wait.
struct Deadlines {
  std::chrono::milliseconds idle{mtqp::kIdle};
  std::chrono::milliseconds started_line{mtqp::kStartedLine};
  std::chrono::milliseconds handshake{mtqp::kHandshake};
  std::chrono::milliseconds write_progress{mtqp::kWriteProgress};
  std::chrono::milliseconds closing{5000};  // for the peer to close after our last octets
  std::chrono::milliseconds sweep{1000};    // how often deadlines are checked
};

// Settings holds everything that SIGHUP may change in a running server, as one immutable snapshot.
// A connection keeps the settings that were current when it began.
struct Settings {
  std::shared_ptr<const net::ServerTls> tls;  // null if TLS is off
  std::shared_ptr<const std::vector<std::string>> tls_required_for;
  Confidentiality confidentiality;
  std::string tls_minimum = "TLSv1.2";  // Older sessions are answered "insecure".
  AddressLimits limits;
  std::shared_ptr<Chaining> chaining;  // null if other servers are never asked
  bool log_queries = false;
  Deadlines deadlines;
};

// Reads the certificate files and those of the authorities. Throws net::TlsError.
[[nodiscard]] std::shared_ptr<const Settings> make_settings(const Config& config);

// Says in one line what this program cannot do with a valid configuration, such as use a
// certificate or a key; empty if nothing.
[[nodiscard]] std::string check_settings(const Config& config);

// Returns one line for each thing that works now but should be mended: certificates that are not
// valid at `now` or not for long, and a `hostname` for which there is no certificate.
[[nodiscard]] std::vector<std::string> settings_warnings(const Settings& settings,
                                                         const std::string& hostname,
                                                         TimePoint now);

// Returns the time of the wall clock, in the resolution of records.
[[nodiscard]] TimePoint wall_clock();

}  // namespace mtrk::mtqpd

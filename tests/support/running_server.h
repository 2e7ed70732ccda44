#pragma once

#include "common/base/log.h"
#include "mtqpd/server/query_service.h"
#include "mtqpd/server/server.h"
#include "mtqpd/server/settings.h"
#include "tests/support/certificate_files.h"
#include "tests/support/test_certificate.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mtrk::test {

// Returns certificates as mtqpd loads them. Their files are removed.
inline std::shared_ptr<const net::ServerTls> make_tls(
    const std::vector<CertificateSpec>& certificates) {
  const TemporaryFolder folder;
  std::vector<net::ServerTls::Files> files;
  for (const CertificateSpec& one : certificates) {
    const std::string base = folder.file(std::to_string(files.size()));
    files.push_back({base + ".pem", base + ".key"});
    write_certificate(one, files.back().certificate, files.back().key);
  }
  return std::make_shared<net::ServerTls>(files);
}
inline std::shared_ptr<const net::ServerTls> make_tls(const CertificateSpec& certificate) {
  return make_tls(std::vector<CertificateSpec>{certificate});
}

inline mtqpd::Settings default_settings() {
  mtqpd::Settings settings;
  settings.tls_required_for = std::make_shared<std::vector<std::string>>();
  settings.deadlines.sweep = std::chrono::milliseconds(5);
  return settings;
}

// A RunningServer is mtqpd without a process of its own, on two free ports of 127.0.0.1. The second
// one begins with TLS.
class RunningServer {
 public:
  RunningServer(mtqpd::OpenSource source, mtqpd::Settings settings, unsigned threads = 1)
      : queries_(std::move(source)),
        server_({loopback()},
                {loopback()},
                threads,
                std::make_shared<mtqpd::Settings>(std::move(settings)),
                queries_) {
    // The log must be opened before there are threads.
    log::open(log::Sink::standard_error, "mtqpd", log::Level::error);
    static_cast<void>(queries_.tend(net::Clock::now()));
    server_.start();
  }

  [[nodiscard]] std::uint16_t port() const { return server_.addresses().front().port(); }
  [[nodiscard]] std::uint16_t tls_port() const { return server_.tls_addresses().front().port(); }
  [[nodiscard]] mtqpd::Server& server() { return server_; }
  [[nodiscard]] mtqpd::QueryService& queries() { return queries_; }

 private:
  static net::Tcp::endpoint loopback() { return {net::asio::ip::address_v4::loopback(), 0}; }

  mtqpd::QueryService queries_;
  mtqpd::Server server_;
};

}  // namespace mtrk::test

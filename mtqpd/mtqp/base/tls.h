#pragma once

#include "common/net/tls.h"

#include <memory>
#include <string>
#include <utility>

namespace mtrk::cli {

// A LazyTlsContext is a client's TLS context that is made when it is first needed, because loading
// the system's certificates takes longer than a server takes to answer. A `ca_file` is read by the
// constructor, which throws net::TlsError, so that a bad file is always reported.
class LazyTlsContext {
 public:
  LazyTlsContext(net::Verify verify, std::string ca_file)
      : verify_(verify), ca_file_(std::move(ca_file)) {
    if (!ca_file_.empty()) {
      static_cast<void>(get());
    }
  }
  [[nodiscard]] boost::asio::ssl::context& get() {  // throws net::TlsError
    if (!context_) {
      context_ = net::make_client_context(verify_, ca_file_);
    }
    return *context_;
  }

 private:
  net::Verify verify_;
  std::string ca_file_;
  std::unique_ptr<boost::asio::ssl::context> context_;
};

}  // namespace mtrk::cli

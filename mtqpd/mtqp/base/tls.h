#pragma once

#include "common/net/tls.h"

#include <memory>
#include <string>
#include <utility>

namespace mtrk::cli {

// A client's TLS context, made when it is first needed: the system's certificates take longer to
// load than a server takes to answer. A `ca_file` is read at once, so that a bad one is always
// told.
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

// A whole MTQP session against a hostile server: the first octet chooses the policy and how the
// rest is split. Nothing may be sent before a good greeting; TRACK only when the session was ready;
// no STARTTLS inside TLS.
#include "common/mtqp/client_session.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using mtrk::mtqp::ClientSession;
namespace client = mtrk::mtqp::client;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

class Shell {
 public:
  explicit Shell(mtrk::mtqp::ClientPolicy policy) : session_(std::move(policy)) {}

  // False when the session is over.
  bool feed(std::string_view bytes) {
    session_.feed(bytes);
    while (true) {
      std::string out;
      const mtrk::mtqp::ClientNext next = session_.advance(out);
      check(out, next);
      if (std::holds_alternative<mtrk::mtqp::SessionFailure>(next)) {
        return false;
      }
      if (std::holds_alternative<client::NeedInput>(next)) {
        return true;
      }
      if (std::holds_alternative<client::BeginTls>(next)) {
        session_.tls_started();
        require(session_.greeting().options.empty());  // MTQP-6.2-03
      } else if (++tracks_ < 4) {
        session_.track(id_, secret_, out);
      } else {
        session_.quit(out);
        return false;
      }
    }
  }

 private:
  void check(const std::string& out, const mtrk::mtqp::ClientNext& next) const {
    require(out.empty() || out == "QUIT\r\n" || out == "STARTTLS mx.example.test\r\n");
    require(!session_.tls_active() || !out.starts_with("STARTTLS"));
    const auto* failure = std::get_if<mtrk::mtqp::SessionFailure>(&next);
    if (failure != nullptr && failure->kind == mtrk::mtqp::SessionFailure::Kind::not_mtqp) {
      require(out.empty() && tracks_ == 0);  // THR-C3
    }
  }

  ClientSession session_;
  mtrk::EnvelopeId id_ = *mtrk::EnvelopeId::parse_xtext("1@example.test");
  mtrk::TrackingSecret secret_ = *mtrk::TrackingSecret::parse_base64("AAECAwQFBgcICQoLDA0ODw==");
  int tracks_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const unsigned choice = data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Shell shell({static_cast<mtrk::mtqp::TlsUse>(choice % 3),
               (choice & 64U) != 0 ? "localhost" : "mx.example.test", (choice & 128U) != 0});
  const std::size_t chunk = (choice >> 2U) % 16 == 0 ? bytes.size() + 1 : (choice >> 2U) % 16;
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    if (!shell.feed(bytes.substr(at, chunk))) {
      break;
    }
  }
  return 0;
}

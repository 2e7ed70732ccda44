#pragma once

#include "common/base/time.h"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// TLS contexts of both ends: 1.2 or newer (RFC 8996), no renegotiation, no compression, AEAD
// ciphers with forward secrecy only (THR-S10).
namespace mtrk::net {

// A certificate, key or trust anchor that cannot be used; what() names the file and says why.
class TlsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What a server shows: certificate chains with their keys, chosen by the name the client asks for.
// Immutable once made, thread-safe; sessions keep the one they began with alive across a reload.
class ServerTls {
 public:
  struct Files {
    std::string certificate;  // PEM: the server's own first, then the chain
    std::string key;
  };
  // Fails with TlsError: no files, unreadable, not a certificate, a key that does not fit or wants
  // a passphrase, no dNSName to match STARTTLS with. One that is not valid at the time is taken:
  // warnings() tells it, and it is never chosen.
  explicit ServerTls(const std::vector<Files>& files);
  ServerTls(const ServerTls&) = delete;
  ServerTls& operator=(const ServerTls&) = delete;
  ~ServerTls() = default;

  enum class Match { matches, no_match, expired };
  struct Choice {
    Match match;
    boost::asio::ssl::context* context;  // null unless it matches
  };
  // The first certificate whose subjectAltName has this dNSName and that is valid at `now`: any
  // case, a left-most "*" stands for one label, the subject's common name does not count, names of
  // other scripts as A-labels (MTQP-6-07, MTQP-6-12). `expired`: they fit, but their time is over,
  // or has not come.
  [[nodiscard]] Choice choose(std::string_view domain, TimePoint now) const noexcept;
  // For connections that begin with TLS: chooses by SNI. The first certificate, if the client names
  // nothing or nothing fits; that it is not the right one is for the client to see.
  [[nodiscard]] boost::asio::ssl::context& implicit() const { return *implicit_; }

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }  // for the log
  // One line for each certificate that is not valid at `now` or will not be in a fortnight.
  [[nodiscard]] std::vector<std::string> warnings(TimePoint now) const;

 private:
  struct Certificate {
    std::unique_ptr<boost::asio::ssl::context> context;
    std::string file;
    TimePoint not_before;
    TimePoint not_after;

    [[nodiscard]] bool valid_at(TimePoint now) const;
  };
  void add(const Files& files);
  static int choose_by_sni(SSL* ssl, int* alert, void* self) noexcept;

  std::vector<Certificate> certificates_;  // at least one
  std::unique_ptr<boost::asio::ssl::context> implicit_;
  std::vector<std::string> names_;
};

// A client's context. Trusts the system's store, or only what the PEM file `ca_file` holds, if it
// is not empty. Without `verify` any certificate will do. Fails: TlsError for an unusable ca_file.
enum class Verify { peer, none };
[[nodiscard]] std::unique_ptr<boost::asio::ssl::context> make_client_context(
    Verify verify, const std::string& ca_file);

}  // namespace mtrk::net

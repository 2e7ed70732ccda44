#pragma once

#include "common/base/time.h"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// TLS contexts of both ends: 1.2 or newer (RFC 8996), no renegotiation, no compression, AEAD
// ciphers with forward secrecy only (S10).
namespace mtrk::net {

// A certificate, key or trust anchor that cannot be used; what() names the file and says why.
class TlsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What a server shows: certificate chains with their keys. Immutable once made; sessions keep the
// one they began with alive across a reload. A list because STARTTLS names the certificate
// (MTQP-6-07); with several of them SNI has to choose too, which the one-entry list does not need.
class ServerTls {
 public:
  struct Files {
    std::string certificate;  // PEM: the server's own first, then the chain
    std::string key;
  };
  // Fails with TlsError: unreadable, not a certificate, a key that does not fit or wants a
  // passphrase, expired or not yet valid at `now`, no dNSName to match STARTTLS with.
  ServerTls(const std::vector<Files>& files, TimePoint now);

  enum class Match { matches, no_match, expired };
  struct Choice {
    Match match;
    boost::asio::ssl::context* context;  // null unless it matches
  };
  // The certificate whose subjectAltName has this dNSName: any case, a left-most "*" stands for
  // one label, the subject's common name does not count (MTQP-6-12).
  [[nodiscard]] Choice choose(std::string_view domain, TimePoint now) const;
  // For connections that begin with TLS and name nothing.
  [[nodiscard]] boost::asio::ssl::context& first() const { return *certificates_.front().context; }

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }  // for the log

 private:
  struct Certificate {
    std::unique_ptr<boost::asio::ssl::context> context;
    TimePoint not_after;
  };
  void add(const Files& files, TimePoint now);

  std::vector<Certificate> certificates_;  // at least one
  std::vector<std::string> names_;
};

// A client's context. Trusts the system's store, or only what the PEM file `ca_file` holds, if it
// is not empty. Without `verify` any certificate will do. Fails: TlsError for an unusable ca_file.
enum class Verify { peer, none };
[[nodiscard]] std::unique_ptr<boost::asio::ssl::context> make_client_context(
    Verify verify, const std::string& ca_file);

}  // namespace mtrk::net

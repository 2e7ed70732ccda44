#pragma once

#include "common/base/time.h"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// This header defines the TLS contexts of both ends: TLS 1.2 or newer (RFC 8996), without
// renegotiation and compression, and only AEAD ciphers with forward secrecy (THR-S10).
namespace mtrk::net {

// A TlsError says that a certificate, key or trust anchor cannot be used; what() names the file and
// the reason.
class TlsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A ServerTls holds the certificate chains of a server with their keys. The name that the client
// asks for selects one. It is immutable and thread-safe. A reload makes a new object; sessions keep
// the old one, with which they began, alive.
class ServerTls {
 public:
  struct Files {
    std::string certificate;  // PEM: the server's own certificate first, then the chain
    std::string key;
  };
  // Throws TlsError if there are no files, if one is unreadable or not a certificate, if a key does
  // not match or needs a passphrase, or if a certificate has no dNSName to match STARTTLS with. A
  // certificate that is not valid at present is accepted, but warnings() reports it and choose()
  // never selects it.
  explicit ServerTls(const std::vector<Files>& files);
  ServerTls(const ServerTls&) = delete;
  ServerTls& operator=(const ServerTls&) = delete;
  ~ServerTls() = default;

  enum class Match { matches, no_match, expired };
  struct Choice {
    Match match;
    boost::asio::ssl::context* context;  // null unless `match` is `matches`
  };
  // Returns the first certificate that is valid at `now` and whose subjectAltName has this dNSName.
  // Case is ignored, a left-most "*" stands for one label, the common name of the subject does not
  // count, and names in other scripts are A-labels (MTQP-6-07, MTQP-6-12). `expired` means that a
  // certificate matches but is no longer, or not yet, valid.
  [[nodiscard]] Choice choose(std::string_view domain, TimePoint now) const noexcept;
  // Returns the context for connections that begin with TLS, which selects a certificate by SNI. If
  // the client sends no name or none matches, that is the first certificate, and the client has to
  // find out that it is the wrong one.
  [[nodiscard]] boost::asio::ssl::context& implicit() const { return *implicit_; }

  // Returns all dNSNames, for the log.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  // Returns one line for each certificate that is not valid at `now` or expires within a fortnight.
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

  std::vector<Certificate> certificates_;  // there is at least one
  std::unique_ptr<boost::asio::ssl::context> implicit_;
  std::vector<std::string> names_;
};

// Returns a context for a client. It trusts the system's store or, if `ca_file` is not empty, only
// what that PEM file contains. Without verification any certificate is accepted. Throws TlsError if
// `ca_file` is unusable.
enum class Verify { peer, none };
[[nodiscard]] std::unique_ptr<boost::asio::ssl::context> make_client_context(
    Verify verify, const std::string& ca_file);

}  // namespace mtrk::net

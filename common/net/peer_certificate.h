#pragma once

#include "common/base/time.h"

#include <openssl/types.h>

#include <string>
#include <vector>

namespace mtrk::net {

// What a certificate says. Texts are the peer's: escape them before anybody sees them.
struct Certificate {
  std::string subject;  // one line, RFC 2253
  std::string issuer;
  std::vector<std::string> names;  // dNSNames
  TimePoint not_before;
  TimePoint not_after;
  std::string key;  // SHA-256 of the public key, hexadecimal: the identity that outlives a renewal
};

// What a server showed in its handshake.
struct PeerCertificates {
  std::vector<Certificate> chain;  // as sent, the server's own first; empty without TLS
  std::string problem;             // why it does not hold for this name and now; empty: it holds
  std::string protocol;            // "TLSv1.3"
  std::string cipher;
};
// `tls` after a handshake, done or failed; null: nothing. The verdict is that of the handshake's
// trust anchors and name, whether or not the context insisted on it.
[[nodiscard]] PeerCertificates describe_peer(SSL* tls);

}  // namespace mtrk::net

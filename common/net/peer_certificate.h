#pragma once

#include "common/base/time.h"

#include <openssl/types.h>

#include <string>
#include <vector>

namespace mtrk::net {

// A Certificate holds what a certificate says. The texts are those of the peer: escape them before
// they are displayed.
struct Certificate {
  std::string subject;  // one line, RFC 2253
  std::string issuer;
  std::vector<std::string> names;  // dNSNames
  TimePoint not_before;
  TimePoint not_after;
  // This is the SHA-256 of the public key in hexadecimal, an identity that can outlive a renewal.
  std::string key;
};

// PeerCertificates holds what a server showed in its handshake.
struct PeerCertificates {
  std::vector<Certificate> chain;  // as sent, the server's own first; empty without TLS
  std::string problem;             // why it is not valid for this name at this time; empty if it is
  std::string protocol;            // "TLSv1.3"
  std::string cipher;
};
// Describes the peer of `tls` after a handshake, successful or not; the result is empty if `tls` is
// null. The verdict is that for the handshake's trust anchors and name, whether or not the context
// insisted on it.
[[nodiscard]] PeerCertificates describe_peer(SSL* tls);

}  // namespace mtrk::net

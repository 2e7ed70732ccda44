#include "common/net/peer_certificate.h"

#include "common/net/x509_fields.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>

namespace mtrk::net {
namespace {

constexpr int kMaxChain = 16;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

std::string to_text(const X509_NAME* name) {
  const std::unique_ptr<BIO, FreeBio> out(BIO_new(BIO_s_mem()));
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) {
    return "";
  }
  std::string text(static_cast<std::size_t>(BIO_pending(out.get())), '\0');
  const int size = BIO_read(out.get(), text.data(), static_cast<int>(text.size()));
  text.resize(static_cast<std::size_t>(std::max(size, 0)));
  return text;
}

std::string key_of(const X509* certificate) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  std::string text;
  if (X509_pubkey_digest(certificate, EVP_sha256(), digest.data(), &size) == 1) {
    for (unsigned int i = 0; i < size; ++i) {
      text += {kHex[digest[i] >> 4], kHex[digest[i] & 15]};
    }
  }
  return text;
}

Certificate describe(const X509* certificate) {
  return {to_text(X509_get_subject_name(certificate)),
          to_text(X509_get_issuer_name(certificate)),
          dns_names(certificate),
          to_time_point(X509_get0_notBefore(certificate)),
          to_time_point(X509_get0_notAfter(certificate)),
          key_of(certificate)};
}

}  // namespace

PeerCertificates describe_peer(SSL* tls) {
  PeerCertificates peer;
  if (tls == nullptr) {
    return peer;
  }
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(tls);
  for (int i = 0; chain != nullptr && i < std::min(sk_X509_num(chain), kMaxChain); ++i) {
    peer.chain.push_back(describe(sk_X509_value(chain, i)));
  }
  const long verdict = SSL_get_verify_result(tls);
  if (verdict != X509_V_OK) {
    peer.problem = X509_verify_cert_error_string(verdict);
  } else if (peer.chain.empty()) {
    peer.problem = "no certificate";
  }
  peer.protocol = SSL_get_version(tls);
  peer.cipher = SSL_get_cipher_name(tls);
  return peer;
}

}  // namespace mtrk::net

#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// This header makes self-signed certificates for tests when they run.
namespace mtrk::test {

struct CertificateSpec {
  std::vector<std::string> names;  // dNSNames; if there are none, there is no subjectAltName
  long begins = -3600;             // seconds from now
  long ends = 3600;
};

namespace detail {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using File = std::unique_ptr<std::FILE, Deleter<std::fclose>>;

inline void add_names(X509* certificate, const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "DNS:" : ",DNS:") + name;
  }
  const std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, list.c_str()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) {
    throw std::runtime_error("subjectAltName");
  }
}

}  // namespace detail

// Writes the certificate and its key as PEM files.
inline void write_certificate(const CertificateSpec& wanted,
                              const std::string& certificate_file,
                              const std::string& key_file) {
  const detail::Key key(EVP_EC_gen("P-256"));
  const detail::Certificate certificate(X509_new());
  X509* x509 = certificate.get();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), wanted.begins);
  X509_gmtime_adj(X509_getm_notAfter(x509), wanted.ends);
  X509_set_pubkey(x509, key.get());
  X509_NAME* subject = X509_get_subject_name(x509);
  const unsigned char name[] = "subject.example";  // a common name, which must not count
  X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC, name, -1, -1, 0);
  X509_set_issuer_name(x509, subject);
  if (!wanted.names.empty()) {
    detail::add_names(x509, wanted.names);
  }
  X509_sign(x509, key.get(), EVP_sha256());
  const detail::File certificate_out(std::fopen(certificate_file.c_str(), "w"));
  const detail::File key_out(std::fopen(key_file.c_str(), "w"));
  if (!certificate_out || !key_out || PEM_write_X509(certificate_out.get(), x509) != 1 ||
      PEM_write_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    throw std::runtime_error("cannot write " + certificate_file);
  }
}

}  // namespace mtrk::test

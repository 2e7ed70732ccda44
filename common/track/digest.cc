#include "common/track/digest.h"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

namespace mtrk {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

// A digest is fetched once and kept for the life of the process; the one-shot SHA1() of OpenSSL 3
// would fetch it on each call.
EVP_MD* fetch(const char* name) {
  EVP_MD* digest = EVP_MD_fetch(nullptr, name, nullptr);
  if (digest == nullptr) {
    throw std::runtime_error(std::string("OpenSSL offers no ") + name);
  }
  return digest;
}

template <typename Digest>
Digest compute(EVP_MD_CTX* context, const EVP_MD* type, std::string_view octets) {
  Digest digest;
  unsigned int size = 0;
  if (context == nullptr || EVP_DigestInit_ex2(context, type, nullptr) != 1 ||
      EVP_DigestUpdate(context, octets.data(), octets.size()) != 1 ||
      EVP_DigestFinal_ex(context, digest.data(), &size) != 1 || size != digest.size()) {
    throw std::runtime_error("OpenSSL failed to compute a digest");
  }
  return digest;
}

}  // namespace

Digest20 sha1(std::string_view octets) {
  static const EVP_MD* const type = fetch("SHA1");
  thread_local const Context context(EVP_MD_CTX_new());
  return compute<Digest20>(context.get(), type, octets);
}

Digest32 sha256(std::string_view octets) {
  static const EVP_MD* const type = fetch("SHA256");
  thread_local const Context context(EVP_MD_CTX_new());
  return compute<Digest32>(context.get(), type, octets);
}

}  // namespace mtrk

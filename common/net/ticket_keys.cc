#include "common/net/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <utility>

namespace mtrk::net {
namespace {

TicketKeys& process_keys() {
  static TicketKeys keys;
  return keys;
}

bool set_mac(EVP_MAC_CTX* context, TicketKeys::Key& key) {
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_CTX_set_params(context, params) == 1;
}

// Implements the callback of SSL_CTX_set_tlsext_ticket_key_evp_cb(3). It returns -1 for an error, 0
// if there is no such key, 1 for success, and 2 for success if the client shall get a new ticket.
// OpenSSL calls it, so nothing may throw.
int use_key(SSL*,
            unsigned char* name,
            unsigned char* iv,
            EVP_CIPHER_CTX* cipher,
            EVP_MAC_CTX* mac,
            int seal) noexcept try {
  const TicketKeys::Clock::time_point now = TicketKeys::Clock::now();
  std::optional<TicketKeys::Key> key =
      seal != 0 ? process_keys().sealing(now) : process_keys().opening(name, now);
  if (!key) {
    return seal != 0 ? -1 : 0;
  }
  if (seal != 0) {
    std::copy(key->name.begin(), key->name.end(), name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) {
      return -1;
    }
  }
  if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv, seal) != 1 ||
      !set_mac(mac, *key)) {
    return -1;
  }
  return seal == 0 && now - key->made >= TicketKeys::kSeals ? 2 : 1;
} catch (...) {
  return -1;
}

}  // namespace

void TicketKeys::rotate(Clock::time_point now) {
  if (current_ && now - current_->made < kSeals) {
    return;
  }
  Key fresh;
  fresh.made = now;
  if (RAND_bytes(fresh.name.data(), static_cast<int>(fresh.name.size())) != 1 ||
      RAND_priv_bytes(fresh.cipher.data(), static_cast<int>(fresh.cipher.size())) != 1 ||
      RAND_priv_bytes(fresh.mac.data(), static_cast<int>(fresh.mac.size())) != 1) {
    return;
  }
  previous_ = std::exchange(current_, fresh);
}

std::optional<TicketKeys::Key> TicketKeys::sealing(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  rotate(now);
  return current_;
}

std::optional<TicketKeys::Key> TicketKeys::opening(const unsigned char* name,
                                                   Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  for (const std::optional<Key>& key : {current_, previous_}) {
    if (key && now - key->made < 2 * kSeals &&
        std::equal(key->name.begin(), key->name.end(), name)) {
      return key;
    }
  }
  return std::nullopt;
}

void TicketKeys::install(SSL_CTX* context) {
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, use_key);
}

}  // namespace mtrk::net

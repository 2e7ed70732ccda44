#include "common/net/tls.h"

#include "common/net/ticket_keys.h"
#include "common/net/x509_fields.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <chrono>
#include <utility>

namespace mtrk::net {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr char kCiphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";  // for TLS 1.2; TLS 1.3 has its own
constexpr char kGroups[] = "X25519:P-256:P-384";
constexpr long kTicketLifetime = 7200;  // seconds; TicketKeys open no older tickets
constexpr std::chrono::hours kWarnBefore{14 * 24};
constexpr unsigned kHostFlags =
    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;

// No protocol here uses ALPN, so a client that asks for one must have been misled (THR-S11,
// ALPACA).
int refuse_alpn(
    SSL*, const unsigned char**, unsigned char*, const unsigned char*, unsigned, void*) {
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::unique_ptr<ssl::context> make_context(ssl::context::method method) {
  auto context = std::make_unique<ssl::context>(method);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_cipher_list(native, kCiphers);
  SSL_CTX_ctrl(native, SSL_CTRL_SET_GROUPS_LIST, 0, const_cast<char*>(kGroups));
  return context;
}

[[noreturn]] void fail_with(const std::string& file, const std::string& why) {
  throw TlsError(file + ": " + why);
}

void check(const std::string& file, std::string_view what, const error_code& error) {
  if (error) {
    ERR_clear_error();
    fail_with(file, std::string(what) + ": " + error.message());
  }
}

// Makes sure that a session is resumed only with the certificate with which it was made.
void bind_sessions(SSL_CTX* context, const X509* certificate) {
  std::array<unsigned char, SSL_MAX_SID_CTX_LENGTH> digest{};
  unsigned length = digest.size();
  X509_digest(certificate, EVP_sha256(), digest.data(), &length);
  SSL_CTX_set_session_id_context(context, digest.data(), length);
}

std::unique_ptr<ssl::context> make_server_context(const ServerTls::Files& files) {
  std::unique_ptr<ssl::context> context = make_context(ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_options(native, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_alpn_select_cb(native, refuse_alpn, nullptr);
  // Sessions are kept in tickets by the clients, not in memory here.
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(native, kTicketLifetime);
  SSL_CTX_set_num_tickets(native, 1);
  TicketKeys::install(native);
  error_code error;
  // A key that needs a passphrase is an error, because no person is there to type it.
  context->set_password_callback([](std::size_t, ssl::context::password_purpose) { return ""; },
                                 error);
  context->use_certificate_chain_file(files.certificate, error);
  check(files.certificate, "cannot use the certificate", error);
  context->use_private_key_file(files.key, ssl::context::pem, error);
  check(files.key, "cannot use the key for " + files.certificate, error);
  bind_sessions(native, SSL_CTX_get0_certificate(native));
  return context;
}

}  // namespace

ServerTls::ServerTls(const std::vector<Files>& files) {
  for (const Files& one : files) {
    add(one);
  }
  if (certificates_.empty()) {
    throw TlsError("no certificate");
  }
  implicit_ = make_server_context(files.front());
  SSL_CTX* native = implicit_->native_handle();
  // This is SSL_CTX_set_tlsext_servername_callback() without the old-style casts in its macros.
  SSL_CTX_callback_ctrl(native, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(choose_by_sni));
  SSL_CTX_ctrl(native, SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG, 0, this);
}

void ServerTls::add(const Files& files) {
  std::unique_ptr<ssl::context> context = make_server_context(files);
  const X509* certificate = SSL_CTX_get0_certificate(context->native_handle());
  const std::vector<std::string> names = dns_names(certificate);
  if (names.empty()) {
    fail_with(files.certificate, "the certificate has no dNSName in its subjectAltName");
  }
  names_.insert(names_.end(), names.begin(), names.end());
  certificates_.push_back({std::move(context), files.certificate,
                           to_time_point(X509_get0_notBefore(certificate)),
                           to_time_point(X509_get0_notAfter(certificate))});
}

bool ServerTls::Certificate::valid_at(TimePoint now) const {
  return not_before <= now && now <= not_after;
}

ServerTls::Choice ServerTls::choose(std::string_view domain, TimePoint now) const noexcept {
  Choice choice{Match::no_match, nullptr};
  for (const Certificate& candidate : certificates_) {
    X509* certificate = SSL_CTX_get0_certificate(candidate.context->native_handle());
    if (X509_check_host(certificate, domain.data(), domain.size(), kHostFlags, nullptr) != 1) {
      continue;
    }
    if (candidate.valid_at(now)) {
      return {Match::matches, candidate.context.get()};
    }
    choice.match = Match::expired;
  }
  return choice;
}

int ServerTls::choose_by_sni(SSL* ssl, int*, void* self) noexcept {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  const auto now = std::chrono::floor<Seconds>(std::chrono::system_clock::now());
  const Choice choice = static_cast<const ServerTls*>(self)->choose(name, now);
  if (choice.context == nullptr) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  SSL_set_SSL_CTX(ssl, choice.context->native_handle());
  return SSL_TLSEXT_ERR_OK;
}

std::vector<std::string> ServerTls::warnings(TimePoint now) const {
  std::vector<std::string> lines;
  for (const Certificate& one : certificates_) {
    if (now > one.not_after) {
      lines.push_back(one.file + ": the certificate expired at " + format_rfc3339(one.not_after));
    } else if (now < one.not_before) {
      lines.push_back(one.file + ": the certificate is not valid before " +
                      format_rfc3339(one.not_before));
    } else if (now + kWarnBefore > one.not_after) {
      lines.push_back(one.file + ": the certificate expires at " + format_rfc3339(one.not_after));
    }
  }
  return lines;
}

std::unique_ptr<ssl::context> make_client_context(Verify verify, const std::string& ca_file) {
  std::unique_ptr<ssl::context> context = make_context(ssl::context::tls_client);
  error_code error;
  if (ca_file.empty()) {
    context->set_default_verify_paths(error);
    check("the system's certificates", "cannot use them", error);
  } else {
    context->load_verify_file(ca_file, error);
    check(ca_file, "cannot use the trusted certificates", error);
  }
  context->set_verify_mode(verify == Verify::peer ? ssl::verify_peer : ssl::verify_none);
  return context;
}

}  // namespace mtrk::net

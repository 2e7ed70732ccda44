#pragma once

#include "common/mtqp/client_session.h"
#include "common/net/client_connection.h"
#include "common/smtp/submission.h"
#include "mtqpd/mtqp/send/auth.h"
#include "mtqpd/mtqp/send/identity.h"

#include <boost/asio/ssl/context.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// One message over one SMTP connection, with tracking if the server can carry it.
namespace mtrk::cli {

struct Submission {
  std::string host;
  std::optional<std::uint16_t> port;  // absent: 25, with implicit TLS 465
  std::string helo;                   // and the host of the envelope id
  std::string sender;                 // paths, checked
  std::vector<std::string> recipients;
  std::optional<std::uint32_t> timeout;  // of MTRK
  bool untracked_ok = false;
  // STARTTLS: never, where offered, or nothing without it. The context, asked for when a handshake
  // begins, decides what certificates will do; it may throw net::TlsError.
  mtqp::TlsUse tls = mtqp::TlsUse::if_offered;
  bool implicit_tls = false;  // TLS from the first octet (RFC 8314)
  bool verify = false;        // what tls_context does with certificates
  std::function<net::asio::ssl::context&()> tls_context;
  std::string tls_name;              // empty = host
  std::optional<Credentials> login;  // AUTH (RFC 4954) before anything else
  std::string data;                  // the message in the form of DATA, with its final dot
  // Called when recipients were accepted and before the message is sent: the secret has to be kept
  // by then. Not called without tracking. May throw.
  std::function<void(const Identity&, smtp::Carrier)> keep;
  std::function<void(char direction, std::string_view bytes)> trace;  // may be empty
};

struct RefusedRecipient {
  std::string recipient;
  smtp::Reply reply;
};
struct Submitted {
  std::optional<Identity> identity;  // nothing: sent without tracking
  smtp::Carrier carrier = smtp::Carrier::none;
  std::vector<std::string> accepted;
  std::vector<RefusedRecipient> refused;
  smtp::Reply reply;  // to the message
  bool tls = false;
};
struct SubmitFailure {
  enum class Kind {
    network,
    tls,
    protocol,
    refused,   // for good: 5xx, or no way to track
    deferred,  // 4xx
  };
  Kind kind;
  std::string detail;
  std::vector<RefusedRecipient> refused;
};

[[nodiscard]] net::Awaitable<tl::expected<Submitted, SubmitFailure>> submit(
    net::Resolver& resolver, const Submission& submission);

}  // namespace mtrk::cli

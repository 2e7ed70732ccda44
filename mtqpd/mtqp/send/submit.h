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

// Submits one message over one SMTP connection, with tracking if the server can carry it.
namespace mtrk::cli {

struct Submission {
  std::string host;
  std::optional<std::uint16_t> port;  // absent: 25, or 465 with implicit TLS
  std::string helo;                   // also the host part of the envelope id
  // Sender and recipients are paths that have been checked.
  std::string sender;
  std::vector<std::string> recipients;
  std::optional<std::uint32_t> timeout;  // for MTRK
  bool untracked_ok = false;
  // Says when STARTTLS is used. tls_context is called when a handshake begins; the context that it
  // returns decides which certificates are accepted. It may throw net::TlsError.
  mtqp::TlsUse tls = mtqp::TlsUse::if_offered;
  bool implicit_tls = false;  // TLS from the first octet (RFC 8314)
  bool verify = false;        // whether tls_context verifies certificates
  std::function<net::asio::ssl::context&()> tls_context;
  std::string tls_name;              // empty: `host`
  std::optional<Credentials> login;  // for AUTH (RFC 4954) before anything else
  std::string data;                  // the message in the form of DATA, with its final dot
  // This is called when recipients were accepted and before the message is sent, so that the secret
  // is kept by then. It is not called without tracking. It may throw.
  std::function<void(const Identity&, smtp::Carrier)> keep;
  std::function<void(char direction, std::string_view bytes)> trace;  // may be empty
};

struct RefusedRecipient {
  std::string recipient;
  smtp::Reply reply;
};
struct Submitted {
  std::optional<Identity> identity;  // nothing if it was sent without tracking
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
    refused,   // permanently: 5xx, or no way to track
    deferred,  // 4xx
  };
  Kind kind;
  std::string detail;
  std::vector<RefusedRecipient> refused;
};

[[nodiscard]] net::Awaitable<tl::expected<Submitted, SubmitFailure>> submit(
    net::Resolver& resolver, const Submission& submission);

}  // namespace mtrk::cli

#include "mtqpd/mtqp/send/submit.h"

#include "common/base/ascii.h"
#include "common/base/wipe.h"
#include "common/smtp/reply.h"
#include "mtqpd/mtqp/send/message.h"

#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <utility>

namespace mtrk::cli {
namespace {

using Kind = SubmitFailure::Kind;
template <typename T>
using Result = tl::expected<T, SubmitFailure>;

constexpr std::uint16_t kSmtpPort = 25;
constexpr std::uint16_t kSubmissionsPort = 465;  // RFC 8314
constexpr int kMaxChallenges = 4;
constexpr std::chrono::seconds kConnect{30};
constexpr std::chrono::minutes kCommand{5};  // RFC 5321 §4.5.3.2
constexpr std::chrono::minutes kMessage{10};
constexpr std::chrono::seconds kHandshake{30};

tl::unexpected<SubmitFailure> failure(Kind kind, std::string detail) {
  return tl::make_unexpected(SubmitFailure{kind, std::move(detail), {}});
}

tl::unexpected<SubmitFailure> failure(net::NetFailure cause) {
  return failure(cause.kind == net::NetFailure::Kind::tls ? Kind::tls : Kind::network,
                 std::move(cause.detail));
}

// Returns a refusal, which says which command the server answered, and how.
tl::unexpected<SubmitFailure> refusal(std::string_view command, const smtp::Reply& reply) {
  return failure(
      reply.transient() ? Kind::deferred : Kind::refused,
      "the server refuses " + std::string(command) + ": " + escape_for_people(reply.text(), 512));
}

// Returns the base64 of a fresh secret: printable, without a comma, never used before.
std::string fresh_nonce() {
  return TrackingSecret::generate().to_base64();
}

class Run {
 public:
  Run(net::ClientConnection& connection, const Submission& submission)
      : connection_(connection), submission_(submission) {}

  net::Awaitable<Result<Submitted>> run() {
    Result<smtp::Extensions> extensions = co_await open();
    if (!extensions) {
      co_return tl::make_unexpected(std::move(extensions.error()));
    }
    Submitted done;
    done.tls = connection_.is_tls();
    if (submission_.login) {
      if (std::optional<SubmitFailure> problem = co_await log_in()) {
        co_await quit();
        co_return tl::make_unexpected(std::move(*problem));
      }
    }
    done.carrier = smtp::carrier_for(*extensions);
    if (done.carrier == smtp::Carrier::none && !submission_.untracked_ok) {
      co_await quit();
      co_return failure(Kind::refused, "the server has neither MTRK nor DSN: no tracking there");
    }
    if (done.carrier != smtp::Carrier::none) {
      Expected<Identity> identity = make_identity(submission_.helo, submission_.timeout,
                                                  done.carrier == smtp::Carrier::folded);
      if (!identity) {
        co_return failure(Kind::refused, std::move(identity.error().detail));
      }
      done.identity.emplace(std::move(*identity));
    }
    const bool eight_bit = extensions->eightbitmime && !is_ascii(submission_.data);
    std::optional<SubmitFailure> problem = co_await send_envelope(done, eight_bit);
    if (!problem) {
      if (done.identity) {
        submission_.keep(*done.identity, done.carrier);
      }
      problem = co_await send_message(done);
    }
    co_await quit();
    if (problem) {
      problem->refused = std::move(done.refused);
      co_return tl::make_unexpected(std::move(*problem));
    }
    co_return done;
  }

 private:
  net::Awaitable<Result<smtp::Reply>> receive_reply() {
    while (true) {
      Expected<std::optional<smtp::Reply>> reply = replies_.next();
      if (!reply) {
        co_return failure(Kind::protocol, std::move(reply.error().detail));
      }
      if (*reply) {
        co_return std::move(**reply);
      }
      auto bytes = co_await connection_.receive();
      if (!bytes) {
        co_return failure(std::move(bytes.error()));
      }
      trace('<', *bytes);
      replies_.feed(*bytes);
    }
  }

  net::Awaitable<Result<smtp::Reply>> command(std::string line) {
    line += "\r\n";
    trace('>', line);
    co_return co_await send_line(std::move(line));
  }

  // Sends a line of a login, which only the server may see.
  net::Awaitable<Result<smtp::Reply>> secret_command(std::string line) {
    line += "\r\n";
    trace('>', "(login)\r\n");
    co_return co_await send_line(std::move(line));
  }

  net::Awaitable<Result<smtp::Reply>> send_line(std::string line) {
    connection_.expire_after(kCommand);
    auto problem = co_await connection_.send(line);
    wipe(line);
    if (problem) {
      co_return failure(std::move(*problem));
    }
    co_return co_await receive_reply();
  }

  net::Awaitable<Result<smtp::Extensions>> open() {
    if (submission_.implicit_tls) {
      if (std::optional<SubmitFailure> problem = co_await handshake()) {
        co_return tl::make_unexpected(std::move(*problem));
      }
    }
    connection_.expire_after(kCommand);
    Result<smtp::Reply> greeting = co_await receive_reply();
    if (!greeting) {
      co_return tl::make_unexpected(std::move(greeting.error()));
    }
    if (!greeting->positive()) {
      co_return refusal("the connection", *greeting);
    }
    Result<smtp::Extensions> extensions = co_await hello();
    if (!extensions || submission_.implicit_tls || submission_.tls == mtqp::TlsUse::never) {
      co_return extensions;
    }
    if (!extensions->starttls) {
      if (submission_.tls == mtqp::TlsUse::required) {
        co_await quit();
        co_return failure(Kind::tls, "the server does not offer STARTTLS");
      }
      co_return extensions;
    }
    if (std::optional<SubmitFailure> problem = co_await start_tls()) {
      co_return tl::make_unexpected(std::move(*problem));
    }
    co_return co_await hello();  // RFC 3207 §4.2: what was announced before is forgotten
  }

  net::Awaitable<Result<smtp::Extensions>> hello() {
    Result<smtp::Reply> reply = co_await command("EHLO " + submission_.helo);
    if (!reply) {
      co_return tl::make_unexpected(std::move(reply.error()));
    }
    if (!reply->positive()) {
      co_return refusal("EHLO", *reply);
    }
    const std::string& first = reply->lines.front();
    server_name_ = first.substr(0, first.find(' '));
    mechanisms_ = auth_mechanisms(*reply);
    co_return smtp::parse_ehlo(*reply);
  }

  net::Awaitable<std::optional<SubmitFailure>> log_in() {
    const std::optional<Mechanism> mechanism = choose_mechanism(mechanisms_, connection_.is_tls());
    if (!mechanism) {
      co_return SubmitFailure{Kind::refused,
                              connection_.is_tls()
                                  ? "the server offers no login that is known here"
                                  : "no login without TLS: the password would go in clear",
                              {}};
    }
    AuthExchange exchange(*mechanism, *submission_.login, fresh_nonce());
    Result<smtp::Reply> reply = co_await secret_command(exchange.command());
    for (int i = 0; reply && reply->code == 334 && i < kMaxChallenges; ++i) {
      Expected<std::string> answer = exchange.answer(reply->lines.front());
      if (!answer) {
        static_cast<void>(co_await command("*"));  // RFC 4954 §4: this cancels the login
        co_return SubmitFailure{Kind::protocol, std::move(answer.error().detail), {}};
      }
      reply = co_await secret_command(std::move(*answer));
    }
    if (!reply) {
      co_return reply.error();
    }
    if (!reply->positive()) {
      co_return refusal("the login", *reply).value();
    }
    if (!exchange.complete()) {
      co_return SubmitFailure{Kind::protocol, "the server did not prove who it is", {}};
    }
    co_return std::nullopt;
  }

  net::Awaitable<std::optional<SubmitFailure>> start_tls() {
    const Result<smtp::Reply> reply = co_await command("STARTTLS");
    if (!reply) {
      co_return reply.error();
    }
    if (!reply->positive()) {
      co_return SubmitFailure{
          Kind::tls, "STARTTLS was refused: " + escape_for_people(reply->text(), 512), {}};
    }
    if (replies_.pending() != 0 || connection_.input_waiting()) {
      co_return SubmitFailure{Kind::protocol, "the server sent bytes before the TLS handshake", {}};
    }
    std::optional<SubmitFailure> problem = co_await handshake();
    replies_ = smtp::ReplyParser();
    co_return problem;
  }

  net::Awaitable<std::optional<SubmitFailure>> handshake() {
    const std::optional<std::string> name = tls_name();
    if (!name) {
      co_return SubmitFailure{
          Kind::tls,
          "a server given by address needs --smtp-tls-name to check its certificate",
          {}};
    }
    connection_.expire_after(kHandshake);
    if (auto problem = co_await connection_.start_tls(submission_.tls_context(), *name)) {
      co_return failure(std::move(*problem)).value();
    }
    co_return std::nullopt;
  }

  // SNI takes names only. If the server was given by address, the name that it gives itself is
  // used, but only if certificates are not verified, because everybody can have a certificate for a
  // name of their own.
  [[nodiscard]] std::optional<std::string> tls_name() const {
    if (!submission_.tls_name.empty()) {
      return submission_.tls_name;
    }
    net::error_code not_an_address;
    net::asio::ip::make_address(submission_.host, not_an_address);
    if (not_an_address) {
      return submission_.host;
    }
    if (submission_.verify) {
      return std::nullopt;
    }
    return server_name_.empty() ? "localhost" : server_name_;
  }

  net::Awaitable<std::optional<SubmitFailure>> send_envelope(Submitted& done, bool eight_bit) {
    std::string mail;
    if (done.identity) {
      const smtp::TrackedEnvelope envelope{done.identity->envelope_id, done.identity->mtrk};
      mail = smtp::format_mail(submission_.sender, done.carrier, &envelope, eight_bit);
    } else {
      mail = smtp::format_mail(submission_.sender, done.carrier, nullptr, eight_bit);
    }
    const Result<smtp::Reply> reply = co_await command(std::move(mail));
    if (!reply) {
      co_return reply.error();
    }
    if (!reply->positive()) {
      co_return refusal("the sender", *reply).value();
    }
    for (const std::string& recipient : submission_.recipients) {
      Result<smtp::Reply> answer = co_await command(smtp::format_rcpt(recipient, done.carrier));
      if (!answer) {
        co_return answer.error();
      }
      if (answer->positive()) {
        done.accepted.push_back(recipient);
      } else {
        done.refused.push_back({recipient, std::move(*answer)});
      }
    }
    if (done.accepted.empty()) {
      bool transient = false;
      for (const RefusedRecipient& refused : done.refused) {
        transient |= refused.reply.transient();
      }
      co_return SubmitFailure{
          transient ? Kind::deferred : Kind::refused, "the server refuses every recipient", {}};
    }
    co_return std::nullopt;
  }

  net::Awaitable<std::optional<SubmitFailure>> send_message(Submitted& done) {
    Result<smtp::Reply> go = co_await command("DATA");
    if (!go) {
      co_return go.error();
    }
    if (!go->intermediate()) {
      co_return refusal("DATA", *go).value();
    }
    connection_.expire_after(kMessage);
    trace('>', "(the message)\r\n");
    if (auto problem = co_await connection_.send(submission_.data)) {
      co_return failure(std::move(*problem)).value();
    }
    Result<smtp::Reply> reply = co_await receive_reply();
    if (!reply) {
      co_return reply.error();
    }
    if (!reply->positive()) {
      co_return refusal("the message", *reply).value();
    }
    done.reply = std::move(*reply);
    co_return std::nullopt;
  }

  // The server's answer does not matter any more.
  net::Awaitable<void> quit() { static_cast<void>(co_await command("QUIT")); }

  void trace(char direction, std::string_view bytes) const {
    if (submission_.trace) {
      submission_.trace(direction, bytes);
    }
  }

  net::ClientConnection& connection_;
  const Submission& submission_;
  smtp::ReplyParser replies_;
  std::string server_name_;
  // They are from the last EHLO; what was announced before TLS is forgotten.
  std::vector<std::string> mechanisms_;
};

}  // namespace

net::Awaitable<tl::expected<Submitted, SubmitFailure>> submit(net::Resolver& resolver,
                                                              const Submission& submission) {
  net::ClientConnection connection(co_await net::asio::this_coro::executor);
  connection.expire_after(kConnect);
  const std::uint16_t usual = submission.implicit_tls ? kSubmissionsPort : kSmtpPort;
  if (auto problem =
          co_await connection.connect(resolver, submission.host, submission.port.value_or(usual))) {
    co_return failure(std::move(*problem));
  }
  Run run(connection, submission);
  co_return co_await run.run();
}

}  // namespace mtrk::cli

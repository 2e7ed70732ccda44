#include "common/mtqp/server_session.h"

#include "common/base/ascii.h"
#include "common/mtqp/reply.h"

#include <algorithm>
#include <utility>

namespace mtrk::mtqp {
namespace {

// These are all texts that this server sends, apart from tracking reports.
constexpr std::string_view kReady = "+OK/MTQP mtqpd ready\r\n";
constexpr std::string_view kReadyStartTls = "+OK+/MTQP mtqpd ready\r\nSTARTTLS\r\n.\r\n";
constexpr std::string_view kReadyStartTlsRequired =
    "+OK+/MTQP mtqpd ready\r\nSTARTTLS required\r\n.\r\n";
constexpr std::string_view kNotReady = "-TEMP/MTQP/unavailable try again later\r\n";
constexpr std::string_view kMaintenance = "-TEMP/MTQP/admin down for maintenance\r\n";

constexpr std::string_view kFollows = "+OK+ Tracking information follows\r\n";
constexpr std::string_view kNoInformation = "-ERR/noinfo No tracking information\r\n";
constexpr std::string_view kLookUpFailed = "-TEMP/unavailable try again later\r\n";
constexpr std::string_view kDownNow = "-TEMP/admin down for maintenance\r\n";
constexpr std::string_view kTlsRequired = "-ERR/tls-required STARTTLS first\r\n";
constexpr std::string_view kInsecure = "-ERR/insecure TLS is not good enough\r\n";
constexpr std::string_view kNotServing = "-ERR/unavailable not serving\r\n";

constexpr std::string_view kComment = "+OK\r\n";
constexpr std::string_view kBye = "+OK bye\r\n";
constexpr std::string_view kBeginTls = "+OK begin TLS\r\n";
constexpr std::string_view kNoTls = "-ERR/unsupported no TLS here\r\n";
constexpr std::string_view kTlsBroken = "-TEMP/unavailable TLS is not available\r\n";
constexpr std::string_view kTlsInProgress = "-BAD/tls-in-progress TLS is active\r\n";
constexpr std::string_view kBadFqdn = "-BAD/bad-fqdn no certificate for this name\r\n";

constexpr std::string_view kSyntax = "-BAD syntax error\r\n";
constexpr std::string_view kBareLine = "-BAD lines end in CRLF\r\n";
constexpr std::string_view kTooLong = "-BAD line too long\r\n";
constexpr std::string_view kInputBehindStartTls = "-BAD input behind STARTTLS\r\n";
constexpr std::string_view kTooManyErrors = "-TEMP/unavailable too many errors\r\n";

}  // namespace

ServerSession::ServerSession(SessionPolicy policy) : policy_(std::move(policy)) {}

void ServerSession::greet(std::string& out) {
  switch (policy_.service) {
    case SessionPolicy::Service::unavailable:
      out.append(kNotReady);
      return;
    case SessionPolicy::Service::maintenance:
      out.append(kMaintenance);
      return;
    case SessionPolicy::Service::open:
      break;
  }
  if (policy_.tls_active || policy_.tls == SessionPolicy::Tls::none) {
    // A greeting without options differs enough from the list before TLS.
    out.append(kReady);
  } else if (policy_.tls == SessionPolicy::Tls::offered) {
    out.append(kReadyStartTls);
  } else {
    out.append(kReadyStartTlsRequired);
  }
}

Next ServerSession::advance(LineBuffer& in, std::string& out) {
  if (closed_) {
    return Close{Close::Why::over};
  }
  while (const std::optional<LineBuffer::Line> line = in.next()) {
    ++commands_;
    if (std::optional<Next> next = take_line(*line, out)) {
      return std::move(*next);
    }
  }
  if (in.flooded()) {
    out.append(kTooLong);
    closed_ = true;
    return Close{Close::Why::bad_input};
  }
  return NeedInput{};
}

std::optional<Next> ServerSession::take_line(const LineBuffer::Line& line, std::string& out) {
  if (line.kind == LineBuffer::Kind::too_long) {
    if (++long_lines_ >= kMaxLongLines) {
      out.append(kTooLong);
      closed_ = true;
      return Close{Close::Why::bad_input};
    }
    return refuse(kTooLong, out);
  }
  if (line.kind == LineBuffer::Kind::malformed) {
    return refuse(kBareLine, out);
  }
  // The keyword is checked before the argument, which does not matter inside TLS (RFC 3887 §6.1).
  if (policy_.tls_active && keyword_of(line.text) == Keyword::starttls) {
    return refuse(kTlsInProgress, out);
  }
  Expected<Command> command = parse_command(line.text);
  if (!command) {
    return refuse(kSyntax, out);
  }
  if (std::holds_alternative<Quit>(*command)) {
    out.append(kBye);
    closed_ = true;
    return Close{Close::Why::quit};
  }
  if (std::holds_alternative<Comment>(*command)) {
    out.append(kComment);
    return std::nullopt;
  }
  if (auto* start_tls = std::get_if<StartTls>(&*command)) {
    if (policy_.tls == SessionPolicy::Tls::none) {
      out.append(kNoTls);
      return std::nullopt;
    }
    starttls_domain_ = std::move(start_tls->domain);
    return CheckDomain{starttls_domain_};
  }
  return take_track(std::move(std::get<Track>(*command)), out);
}

std::optional<Next> ServerSession::take_track(Track track, std::string& out) {
  if (policy_.service != SessionPolicy::Service::open) {
    out.append(kNotServing);
    return std::nullopt;
  }
  if (policy_.tls_insufficient) {
    out.append(kInsecure);
    return std::nullopt;
  }
  if (!policy_.tls_active && tls_required(track.envelope_id)) {
    out.append(kTlsRequired);
    return std::nullopt;
  }
  return LookUp{std::move(track.envelope_id), std::move(track.secret)};
}

void ServerSession::answer(LookUpResult result, std::string_view report, std::string& out) {
  switch (result) {
    case LookUpResult::found:
      out.append(kFollows);
      append_stuffed(out, report);
      return;
    case LookUpResult::no_information:
      out.append(kNoInformation);
      return;
    case LookUpResult::unavailable:
      out.append(kLookUpFailed);
      return;
    case LookUpResult::maintenance:
      out.append(kDownNow);
      return;
  }
}

Next ServerSession::answer_domain(DomainCheck check,
                                  const LineBuffer& in,
                                  bool more_on_socket,
                                  std::string& out) {
  if (check == DomainCheck::unavailable) {
    out.append(kTlsBroken);
    return NeedInput{};
  }
  if (check == DomainCheck::no_match) {
    return refuse(kBadFqdn, out).value_or(NeedInput{});
  }
  if (policy_.service != SessionPolicy::Service::open) {
    out.append(kNotServing);
    return NeedInput{};
  }
  if (in.line_started() || more_on_socket) {
    out.append(kInputBehindStartTls);
    closed_ = true;
    return Close{Close::Why::input_behind_tls};
  }
  out.append(kBeginTls);
  closed_ = true;  // this session is over; after the handshake there is a new one
  return BeginTls{std::move(starttls_domain_)};
}

// Appends a -BAD, or ends the session if there were too many (MTQP-2.5-04, THR-D9).
std::optional<Next> ServerSession::refuse(std::string_view reply, std::string& out) {
  if (++bad_commands_ < kMaxBadCommands) {
    out.append(reply);
    return std::nullopt;
  }
  out.append(kTooManyErrors);
  closed_ = true;
  return Close{Close::Why::bad_input};
}

bool ServerSession::tls_required(const EnvelopeId& envelope_id) const {
  if (!policy_.tls_required_for) {
    return false;
  }
  const auto matches = [domain = envelope_id.domain()](const std::string& name) {
    return name == "*" || iequals(name, domain);
  };
  return std::any_of(policy_.tls_required_for->begin(), policy_.tls_required_for->end(), matches);
}

}  // namespace mtrk::mtqp

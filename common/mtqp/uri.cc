#include "common/mtqp/uri.h"

#include "common/base/ascii.h"
#include "common/base/wipe.h"

#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/pchars.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

namespace mtrk::mtqp {
namespace {

namespace urls = boost::urls;

// No valid URI is longer: a host of 253 octets, an id of 100 and a secret of 172, of which each
// octet may be escaped.
constexpr std::size_t kMaxUri = 3 * (253 + 100 + 172) + 64;
constexpr std::size_t kMaxHost = 253;

// A host name consists of letters, digits and "-._"; only an IPv6 address has colons, too.
bool is_host_octet(char c) {
  return is_alnum(c) || c == '-' || c == '.' || c == '_';
}

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= kMaxHost &&
         std::all_of(host.begin(), host.end(), is_host_octet);
}

Expected<std::optional<std::uint16_t>> parse_port(std::string_view text) {
  if (text.empty()) {  // "host:" equals "host" (RFC 3986 §3.2.3)
    return std::optional<std::uint16_t>();
  }
  const auto port = parse_number<std::uint16_t>(text);
  if (!port || *port == 0) {
    return fail(ErrorCode::out_of_range, "the port is not a number from 1 to 65535");
  }
  return port;
}

Expected<std::string> host_of(const urls::url_view& url) {
  switch (url.host_type()) {
    case urls::host_type::name:
    case urls::host_type::ipv4:
    case urls::host_type::ipv6:
      break;
    default:
      return fail(ErrorCode::unsupported, "the URI has no host this program can connect to");
  }
  std::string host = url.host_address();
  if (url.host_type() != urls::host_type::ipv6 && !is_host_name(host)) {
    return fail(ErrorCode::syntax, "the host of the URI is not a domain name or an address");
  }
  return host;
}

}  // namespace

Expected<TrackUri> parse_track_uri(std::string_view text) {
  if (text.size() > kMaxUri) {
    return fail(ErrorCode::too_long, "the URI is too long for an mtqp: URI");
  }
  const auto parsed = urls::parse_uri(boost::core::string_view(text.data(), text.size()));
  if (!parsed) {
    return fail(ErrorCode::syntax, "not a URI: a character that must be escaped, or a bad escape");
  }
  const urls::url_view url = *parsed;
  if (!iequals({url.scheme().data(), url.scheme().size()}, "mtqp")) {  // MTQP-9-01
    return fail(ErrorCode::syntax, "the URI does not start with mtqp://");
  }
  if (!url.has_authority() || url.has_userinfo() || url.has_query() || url.has_fragment()) {
    return fail(ErrorCode::not_allowed,
                "an mtqp: URI has a host, and no user name, query or fragment");
  }
  Expected<std::string> host = host_of(url);
  if (!host) {
    return Unexpected(std::move(host.error()));
  }
  const Expected<std::optional<std::uint16_t>> port =
      parse_port({url.port().data(), url.port().size()});
  if (!port) {
    return Unexpected(port.error());
  }
  const auto segments = url.segments();  // decodes each segment once (MTQP-9-06)
  if (!url.is_path_absolute() || segments.size() != 3) {
    return fail(ErrorCode::syntax, "the path is not /track/<envelope id>/<secret>");
  }
  auto segment = segments.begin();
  if (!iequals(std::string(*segment), "track")) {  // MTQP-9-03
    return fail(ErrorCode::syntax, "the path does not start with /track/");
  }
  ++segment;
  Expected<EnvelopeId> envelope_id = EnvelopeId::parse_xtext(std::string(*segment));
  if (!envelope_id) {
    return Unexpected(std::move(envelope_id.error()));
  }
  ++segment;
  std::string secret_text(*segment);
  Expected<TrackingSecret> secret = TrackingSecret::parse_base64(secret_text);
  wipe(secret_text);
  if (!secret) {
    return fail(secret.error().code, "the last part of the path is not a base64 secret");
  }
  return TrackUri{std::move(*host), *port, std::move(*envelope_id), std::move(*secret)};
}

std::string format_track_uri(std::string_view host,
                             std::optional<std::uint16_t> port,
                             const EnvelopeId& envelope_id,
                             const TrackingSecret& secret) {
  // A pchar of RFC 3986 includes "@+=:"; "/?%" and all that no URI may hold are escaped.
  std::string base64 = secret.to_base64();
  std::string text = "mtqp://" + format_host_port(host, port) + "/track/" +
                     urls::encode(envelope_id.xtext(), urls::pchars) + "/";
  // A reallocation would leave a copy of the secret behind.
  text.reserve(text.size() + 3 * base64.size());
  std::string escaped = urls::encode(base64, urls::pchars);
  text += escaped;
  wipe(escaped);
  wipe(base64);
  return text;
}

Expected<HostPort> parse_host_port(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  const bool bracketed = !text.empty() && text.front() == '[';
  if (bracketed) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return fail(ErrorCode::syntax, "'[' without ']'");
    }
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') {
      return fail(ErrorCode::syntax, "something other than :port follows ']'");
    }
    port = rest.empty() ? rest : rest.substr(1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    const std::size_t colon = text.find(':');
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  const bool is_ipv6 = host.find(':') != std::string_view::npos;
  if (is_ipv6 ? !urls::parse_ipv6_address(boost::core::string_view(host.data(), host.size()))
                     .has_value()
              : bracketed || !is_host_name(host)) {
    return fail(ErrorCode::syntax, "not a domain name or an address");
  }
  const Expected<std::optional<std::uint16_t>> number = parse_port(port);
  if (!number) {
    return Unexpected(number.error());
  }
  return HostPort{std::string(host), *number};
}

std::string format_host_port(std::string_view host, std::optional<std::uint16_t> port) {
  const bool is_ipv6 = host.find(':') != std::string_view::npos;
  std::string text = is_ipv6 ? "[" + std::string(host) + "]" : std::string(host);
  if (port) {
    text += ":" + std::to_string(*port);
  }
  return text;
}

}  // namespace mtrk::mtqp

#include "mtqpd/mtqp/ask/check.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "common/base/print_error.h"
#include "common/base/utf8.h"
#include "common/mtqp/uri.h"
#include "common/net/listener.h"
#include "mtqpd/mtqp/base/dialogue.h"
#include "mtqpd/mtqp/base/network.h"
#include "mtqpd/mtqp/base/tls.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>

namespace mtrk::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxField = 400;

std::string shown(std::string_view text) {
  return escape_for_people(text, kMaxField);
}

std::string date(TimePoint at) {
  return format_rfc3339(at).substr(0, 10);
}

std::string names_of(const net::Certificate& certificate) {
  std::string text;
  for (const std::string& name : certificate.names) {
    text += (text.empty() ? "" : ", ") + escape_for_people(name, 100);
  }
  return text.empty() ? "no names" : escape_for_people(text, kMaxField);
}

std::string describe(const net::Certificate& certificate, TimePoint now) {
  const auto days = std::chrono::floor<std::chrono::days>(certificate.not_after - now).count();
  std::string validity = certificate.not_before > now ? "not valid yet"
                         : days < 0                   ? "expired"
                                                      : fmt::format("{} days left", days);
  return fmt::format("  {}\n    issued by {}\n    from {} to {}, {}\n", shown(certificate.subject),
                     shown(certificate.issuer), date(certificate.not_before),
                     date(certificate.not_after), validity);
}

json::object to_json(const net::Certificate& certificate) {
  json::object object;
  object["subject"] = shown(certificate.subject);
  object["issuer"] = shown(certificate.issuer);
  json::array names;
  for (const std::string& name : certificate.names) {
    names.push_back(json::string(shown(name)));
  }
  object["names"] = std::move(names);
  object["not_before"] = format_rfc3339(certificate.not_before);
  object["not_after"] = format_rfc3339(certificate.not_after);
  object["key_sha256"] = certificate.key;
  return object;
}

net::MtqpClientOptions client_options(const CheckOptions& options, LazyTlsContext& context) {
  using Direction = net::MtqpClientOptions::Direction;
  net::MtqpClientOptions client;
  client.tls = options.tls.use;
  client.srv_names = options.tls.srv || options.tls.insecure;
  client.implicit_tls = options.tls.implicit;
  client.tls_name = options.tls.name;
  client.tls_context = [&context]() -> net::asio::ssl::context& { return context.get(); };
  client.response = Seconds(options.timeout);
  if (options.verbose) {
    client.trace = [](Direction direction, std::string_view text) {
      print_dialogue(direction == Direction::sent ? '>' : '<', text);
    };
  }
  return client;
}

}  // namespace

std::string format_check(const std::string& host, const net::MtqpProbe& probe, TimePoint now) {
  const net::MtqpPeer& peer = probe.peer;
  std::string text = shown(host);
  text +=
      peer.endpoint ? " at " + net::format_endpoint(*peer.endpoint) + "\n" : ": no connection\n";
  if (peer.greeting.positive) {
    text +=
        fmt::format("speaks MTQP; STARTTLS {}\n", peer.greeting.requires_starttls ? "required"
                                                  : peer.greeting.offers_starttls ? "offered"
                                                                                  : "not offered");
    for (const std::string& option : peer.greeting.options) {
      text += "  option " + shown(option) + "\n";
    }
  }
  const net::PeerCertificates& certificates = peer.certificates;
  if (!certificates.chain.empty()) {
    text += fmt::format(
        "{} with {}; the certificate {}\n", shown(certificates.protocol),
        shown(certificates.cipher),
        certificates.problem.empty() ? "is good" : "is NOT good: " + certificates.problem);
    text += "  for " + names_of(certificates.chain.front()) + "\n";
    for (const net::Certificate& certificate : certificates.chain) {
      text += describe(certificate, now);
    }
  }
  if (probe.failure) {
    text += "cannot be asked: " + shown(probe.failure->detail) + "\n";
  } else {
    text += peer.tls ? "can be asked, with TLS\n" : "can be asked, in clear\n";
  }
  return text;
}

std::string format_check_json(const std::string& host, const net::MtqpProbe& probe) {
  const net::MtqpPeer& peer = probe.peer;
  json::object object;
  object["v"] = 1;
  object["host"] = shown(host);
  if (peer.endpoint) {
    object["address"] = net::format_endpoint(*peer.endpoint);
  }
  object["mtqp"] = peer.greeting.positive;
  json::array options;
  for (const std::string& option : peer.greeting.options) {
    options.push_back(json::string(shown(option)));
  }
  object["options"] = std::move(options);
  object["starttls"] = peer.greeting.offers_starttls;
  object["starttls_required"] = peer.greeting.requires_starttls;
  object["tls"] = peer.tls;
  if (!peer.certificates.chain.empty()) {
    object["protocol"] = shown(peer.certificates.protocol);
    object["cipher"] = shown(peer.certificates.cipher);
    object["verified"] = peer.certificates.problem.empty();
    if (!peer.certificates.problem.empty()) {
      object["problem"] = peer.certificates.problem;
    }
    json::array chain;
    for (const net::Certificate& certificate : peer.certificates.chain) {
      chain.push_back(to_json(certificate));
    }
    object["chain"] = std::move(chain);
  }
  object["exit"] = exit_code_of(probe);
  if (probe.failure) {
    object["error"] = std::string(to_string(to_trouble(probe.failure->kind)));
    object["detail"] = shown(probe.failure->detail);
  }
  return escape_json(json::serialize(object)) + "\n";
}

int exit_code_of(const net::MtqpProbe& probe) {
  if (probe.failure) {
    return static_cast<int>(to_trouble(probe.failure->kind));
  }
  const bool bad = probe.peer.tls && !probe.peer.certificates.problem.empty();
  return bad ? static_cast<int>(Trouble::tls) : exit_code::ok;
}

int run_check(const CheckOptions& options) {
  Expected<mtqp::HostPort> place = mtqp::parse_host_port(options.host);
  Expected<std::unique_ptr<net::DnsResolver>> resolver = make_resolver(options);
  if (!place || !resolver) {
    print_error("mtqp: {}\n", place ? resolver.error().detail : place.error().detail);
    return exit_code::usage;
  }
  // A bad certificate has to be shown; it must not end the check.
  LazyTlsContext context(net::Verify::none, options.tls.ca_file);
  const net::MtqpClientOptions client = client_options(options, context);
  net::MtqpProbe probe = run_to_end(net::probe(**resolver, place->host, place->port, client));
  if (options.tls.insecure) {
    probe.peer.certificates.problem.clear();
  }
  if (options.json) {
    fmt::print("{}", format_check_json(options.host, probe));
  } else {
    fmt::print("{}", format_check(options.host, probe,
                                  std::chrono::floor<Seconds>(std::chrono::system_clock::now())));
  }
  return exit_code_of(probe);
}

}  // namespace mtrk::cli

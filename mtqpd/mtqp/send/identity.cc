#include "mtqpd/mtqp/send/identity.h"

#include "common/smtp/submission.h"
#include "common/track/certifier.h"
#include "common/track/fresh_envid.h"

#include <netdb.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

namespace mtrk::cli {
namespace {

std::uint64_t random_number() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  return number;
}

EnvidSeed fresh_seed() {
  return {current_time(), static_cast<std::uint32_t>(::getpid()), random_number()};
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// Returns the canonical name if it has a domain, and otherwise the plain host name.
std::string own_host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) {
    return "localhost";
  }
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  if (::getaddrinfo(name.data(), nullptr, &hints, &raw) == 0) {
    const std::unique_ptr<addrinfo, FreeAddresses> list(raw);
    const std::string canonical = list->ai_canonname == nullptr ? "" : list->ai_canonname;
    if (canonical.find('.') != std::string::npos && !canonical.starts_with("localhost")) {
      return canonical;
    }
  }
  return name.data();
}

}  // namespace

TimePoint current_time() {
  return std::chrono::floor<Seconds>(std::chrono::system_clock::now());
}

Expected<Identity> make_identity(const std::string& host,
                                 std::optional<std::uint32_t> timeout,
                                 bool room_for_fold) {
  TrackingSecret secret = TrackingSecret::generate();
  MtrkParam mtrk{TrackingCertifier::of(secret), std::nullopt};
  if (timeout) {
    mtrk.timeout = Seconds(*timeout);
  }
  const std::size_t room =
      EnvelopeId::kMaxXtext - (room_for_fold ? smtp::fold_size(mtrk) : std::size_t{0});
  Expected<EnvelopeId> envelope_id = make_envelope_id(host, fresh_seed(), room);
  if (!envelope_id) {
    return Unexpected(std::move(envelope_id.error()));
  }
  return Identity{std::move(*envelope_id), std::move(secret), mtrk};
}

std::string make_message_id(const std::string& host) {
  const Expected<EnvelopeId> id = make_envelope_id(host, fresh_seed());
  return id ? id->decoded() : std::to_string(random_number()) + "@localhost";
}

std::string choose_host_name(const std::string& host, const std::string& config_hostname) {
  if (!host.empty()) {
    return host;
  }
  return config_hostname.empty() ? own_host_name() : config_hostname;
}

Expected<std::string> make_uri(const std::string& tracker,
                               const std::string& host,
                               const Identity& identity) {
  Expected<mtqp::HostPort> server = mtqp::parse_host_port(tracker.empty() ? host : tracker);
  if (!server) {
    return fail(ErrorCode::syntax, "the server of the URI: " + server.error().detail);
  }
  return mtqp::format_track_uri(server->host, server->port, identity.envelope_id, identity.secret);
}

}  // namespace mtrk::cli

#include "mtqpd/mtqp/ask/trust.h"

#include "common/base/ascii.h"
#include "common/base/print_error.h"
#include "mtqpd/mtqp/base/state_file.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <system_error>

namespace mtrk::cli {
namespace {

void complain(const std::system_error& error) {
  print_error("mtqp: warning: what is known of servers cannot be kept: {}\n",
              escape_for_people(error.what(), 1000));
}

}  // namespace

Trust::Trust(const TlsOptions& tls) : tls_(tls) {
  try {
    memory_.emplace(state_file_path("servers.ndjson"));
  } catch (const std::system_error& error) {
    complain(error);
  }
}

std::optional<std::string> Trust::approve(const std::string& server, const net::MtqpPeer& peer) {
  if (!memory_) {
    return std::nullopt;
  }
  const Judgement judgement = judge(memory_->find(server), peer);
  if (judgement.kind == Judgement::Kind::downgrade) {
    if (peer.greeting.offers_starttls) {  // because of --tls no, or a host given by address
      return std::nullopt;
    }
    const std::string what = fmt::format(
        "{} had TLS on {} and offers none now: somebody may be listening",
        escape_for_people(server, 300), format_rfc3339(judgement.before.seen).substr(0, 10));
    if (tls_.use != mtqp::TlsUse::never) {
      return what + "; --tls no asks in clear all the same";
    }
    print_error("mtqp: warning: {}\n", what);
    return std::nullopt;
  }
  if (judgement.kind == Judgement::Kind::new_key) {
    fmt::print(
        stderr, "mtqp: warning: {} has another certificate key than since {}{}\n",
        escape_for_people(server, 300), format_rfc3339(judgement.before.since).substr(0, 10),
        tls_.insecure ? ", and nobody vouches for the new one" : "; the new one is vouched for");
  }
  try {
    memory_->remember(server, peer, std::chrono::floor<Seconds>(std::chrono::system_clock::now()));
  } catch (const std::system_error& error) {
    complain(error);
  }
  return std::nullopt;
}

}  // namespace mtrk::cli

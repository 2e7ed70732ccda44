#pragma once

#include "common/base/time.h"
#include "common/mtqp/uri.h"
#include "common/track/envelope_id.h"
#include "common/track/mtrk_param.h"
#include "common/track/secret.h"

#include <cstdint>
#include <optional>
#include <string>

// What makes one message trackable: an envelope id and a secret that nobody else has (RFC 3885).
namespace mtrk::cli {

struct Identity {
  EnvelopeId envelope_id;
  TrackingSecret secret;
  MtrkParam mtrk;
};

[[nodiscard]] TimePoint current_time();

// A fresh one for every message, from the clock, the process id and the system's generator. With
// `room_for_fold` the id leaves room for its folded form inside the 100 octets of ENVID. Fails: a
// host name that no envelope id can hold.
[[nodiscard]] Expected<Identity> make_identity(const std::string& host,
                                               std::optional<std::uint32_t> timeout,
                                               bool room_for_fold);

// A Message-Id without its brackets. Not the envelope id: what recipients read is another matter.
[[nodiscard]] std::string make_message_id(const std::string& host);

// `host` if given, else the name in `config_hostname`, else this host's name, fully qualified where
// the system can tell.
[[nodiscard]] std::string choose_host_name(const std::string& host,
                                           const std::string& config_hostname);

// The URI that asks `tracker` (or `host`, if empty) about the message; it holds the secret.
[[nodiscard]] Expected<std::string> make_uri(const std::string& tracker,
                                             const std::string& host,
                                             const Identity& identity);

}  // namespace mtrk::cli

#pragma once

#include "common/base/time.h"
#include "common/mtqp/uri.h"
#include "common/track/envelope_id.h"
#include "common/track/mtrk_param.h"
#include "common/track/secret.h"

#include <cstdint>
#include <optional>
#include <string>

// Makes a message trackable (RFC 3885): gives it an envelope id and a secret that no other message
// has.
namespace mtrk::cli {

struct Identity {
  EnvelopeId envelope_id;
  TrackingSecret secret;
  MtrkParam mtrk;
};

[[nodiscard]] TimePoint current_time();

// Returns a fresh identity, made of the clock, the process id and the system's random generator.
// With `room_for_fold` the id is short enough for its folded form to fit the 100 octets of ENVID.
// Returns an error if no envelope id can hold the host name.
[[nodiscard]] Expected<Identity> make_identity(const std::string& host,
                                               std::optional<std::uint32_t> timeout,
                                               bool room_for_fold);

// Returns a Message-Id without its brackets. It differs from the envelope id, because recipients
// read it.
[[nodiscard]] std::string make_message_id(const std::string& host);

// Returns `host` if it is given, else `config_hostname`, else this host's name, fully qualified if
// the system knows how.
[[nodiscard]] std::string choose_host_name(const std::string& host,
                                           const std::string& config_hostname);

// Returns the URI that asks `tracker` (or `host`, if it is empty) about the message. The URI holds
// the secret.
[[nodiscard]] Expected<std::string> make_uri(const std::string& tracker,
                                             const std::string& host,
                                             const Identity& identity);

}  // namespace mtrk::cli

#pragma once

#include "common/mtqp/reply.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The client side of one MTQP session, without I/O, the mirror of ServerSession: greeting, options,
// STARTTLS when wanted, TRACK, QUIT. Sends nothing before a positive greeting with /MTQP (C3);
// forgets options at the handshake (MTQP-6.2-03); refuses bytes that wait before it (C1).
namespace mtrk::mtqp {

enum class TlsUse { required, if_offered, never };

struct Greeting {
  bool positive = false;
  bool offers_starttls = false;
  bool requires_starttls = false;
  std::vector<std::string> options;  // unfolded option lines as sent
  std::string reason;                // "admin", "unavailable"; unknown ones read as unavailable
};

[[nodiscard]] Expected<Greeting> parse_greeting(const Reply& reply);

}  // namespace mtrk::mtqp

#pragma once

#include "common/base/expected.h"
#include "common/smtp/extensions.h"
#include "common/track/envelope_id.h"
#include "common/track/mtrk_param.h"

#include <optional>
#include <string>
#include <string_view>

// The commands with which a client submits a tracked message (RFC 3885 §3).
namespace mtrk::smtp {

// How the certifier travels: as MTRK= where announced, folded into ENVID where the server has DSN,
// else not at all.
enum class Carrier { mtrk, folded, none };
[[nodiscard]] Carrier carrier_for(const Extensions& extensions);
[[nodiscard]] std::string_view to_string(Carrier carrier);

// Octets the fold adds to an ENVID; they count against its 100 (RFC 3461 §4.4).
[[nodiscard]] std::size_t fold_size(const MtrkParam& param);

// A path that may stand between < and > of MAIL or RCPT: printable ASCII, no angle brackets, blanks
// only in a quoted local part. The empty one is the null reverse-path.
[[nodiscard]] Expected<std::string> check_path(std::string_view address);

struct TrackedEnvelope {
  const EnvelopeId& envelope_id;
  const MtrkParam& mtrk;
};
// Without CRLF. `envelope` is not looked at with Carrier::none.
[[nodiscard]] std::string format_mail(std::string_view sender,
                                      Carrier carrier,
                                      const TrackedEnvelope* envelope,
                                      bool eight_bit);
// ORCPT equals the RCPT address (DSNX-4.2-04); it goes with MTRK and with DSN (DSNX-5.2.2-01).
[[nodiscard]] std::string format_rcpt(std::string_view recipient, Carrier carrier);

// The message as DATA takes it: every line end (CRLF, LF or CR) as CRLF, dots stuffed, and the
// final ".". Linear.
[[nodiscard]] std::string format_data(std::string_view message);

}  // namespace mtrk::smtp

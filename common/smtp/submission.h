#pragma once

#include "common/base/expected.h"
#include "common/smtp/extensions.h"
#include "common/track/envelope_id.h"
#include "common/track/mtrk_param.h"

#include <optional>
#include <string>
#include <string_view>

// These functions make the commands with which a client submits a tracked message (RFC 3885 §3).
namespace mtrk::smtp {

// Says how the certifier is sent: as MTRK= if the server announces it, folded into ENVID if the
// server has DSN, and otherwise not at all.
enum class Carrier { mtrk, folded, none };
[[nodiscard]] Carrier carrier_for(const Extensions& extensions);
[[nodiscard]] std::string_view to_string(Carrier carrier);

// Returns how many octets the fold adds to an ENVID. They count towards its 100 (RFC 3461 §4.4).
[[nodiscard]] std::size_t fold_size(const MtrkParam& param);

// Checks that `address` may be written between < and > in MAIL or RCPT: printable ASCII without
// angle brackets, and blanks only in a quoted local part. An empty one is the null reverse-path.
[[nodiscard]] Expected<std::string> check_path(std::string_view address);

struct TrackedEnvelope {
  const EnvelopeId& envelope_id;
  const MtrkParam& mtrk;
};
// Returns the MAIL command without CRLF. `envelope` is not used with Carrier::none.
[[nodiscard]] std::string format_mail(std::string_view sender,
                                      Carrier carrier,
                                      const TrackedEnvelope* envelope,
                                      bool eight_bit);
// Returns the RCPT command without CRLF. ORCPT equals its address (DSNX-4.2-04) and is added with
// MTRK and with DSN (DSNX-5.2.2-01).
[[nodiscard]] std::string format_rcpt(std::string_view recipient, Carrier carrier);

// Returns the message in the form for DATA: every line end (CRLF, LF or CR) becomes CRLF, dots are
// stuffed, and the final "." is added. Runs in linear time.
[[nodiscard]] std::string format_data(std::string_view message);

}  // namespace mtrk::smtp

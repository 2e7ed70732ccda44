#pragma once

#include "common/smtp/command.h"
#include "common/track/mtrk_param.h"

#include <optional>
#include <string>
#include <string_view>

// Rewrites MAIL commands for the gate, on their way in and out (RFC 3885 §3). Everything but MTRK=
// and ENVID= stays as it is, octet by octet and in its order.
namespace mtrk::smtp {

struct RewrittenMail {
  enum class Kind {
    // The command has nothing to do with tracking, or cannot be read: the server judges it.
    verbatim,
    folded,  // MTRK is in ENVID now
    // MTRK is removed: it is well-formed, but the message is not to be tracked; `why` is the
    // reason.
    dropped,
    refused,  // malformed, or MTRK more than once: 501 5.5.4
  };
  Kind kind = Kind::verbatim;
  std::string line;  // to pass on, without CRLF; empty if verbatim or refused
  std::string why;
};
// Rewrites MAIL on its way in: MTRK= goes into ENVID.
[[nodiscard]] RewrittenMail fold_mail(std::string_view line);

// Rewrites MAIL on its way out: removes a fold that is still in ENVID and any MTRK=, then adds the
// parameters in `onward` (MTRK-3.3-01; null: MTRK-3.3-02, -3.1-21). ENVID, without which MTRK means
// nothing, is added only if the command has none, because it was not sent to a next hop without
// DSN.
struct Onward {
  std::string envid;  // xtext
  MtrkParam mtrk;
};
[[nodiscard]] std::string unfold_mail(std::string_view line, const Onward* onward);

// Returns MAIL for a copy that a mailing list sends, to which the envelope id does not belong
// (DSNX-5.2.7-02).
[[nodiscard]] std::string without_envid(std::string_view line);

// Returns what the ENVID of a MAIL command was folded with. Returns nothing if that is malformed or
// there is more than one ENVID.
[[nodiscard]] std::optional<MtrkParam> folded_mtrk(std::string_view line);

// Returns the plain ENVID of a MAIL command as xtext; empty if there is none or more than one.
[[nodiscard]] std::string plain_envid(std::string_view line);

}  // namespace mtrk::smtp

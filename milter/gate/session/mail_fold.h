#pragma once

#include "common/smtp/command.h"
#include "common/track/mtrk_param.h"

#include <optional>
#include <string>
#include <string_view>

// What the gate makes of a MAIL command on its way in and out (RFC 3885 §3). All but
// MTRK= and ENVID= stays as it is, octet by octet and in its order.
namespace mtrk::smtp {

struct RewrittenMail {
  enum class Kind {
    verbatim,  // nothing to do with tracking, or nothing that can be read: for the server to judge
    folded,    // MTRK is in ENVID now
    dropped,   // MTRK is taken away: well-formed, but not to be tracked; `why` says the reason
    refused,   // malformed, or MTRK more than once: 501 5.5.4
  };
  Kind kind = Kind::verbatim;
  std::string line;  // to pass on, without CRLF; empty if verbatim or refused
  std::string why;
};
// On its way in: MTRK= into ENVID.
[[nodiscard]] RewrittenMail fold_mail(std::string_view line);

// On its way out: a fold that is still in ENVID and any MTRK= are taken away, then the parameters
// in `onward` added (MTRK-3.3-01; none: MTRK-3.3-02, -3.1-21). ENVID, without which MTRK means
// nothing, is added only where the command has none: a next hop without DSN was not sent it.
struct Onward {
  std::string envid;  // xtext
  MtrkParam mtrk;
};
[[nodiscard]] std::string unfold_mail(std::string_view line, const Onward* onward);

// MAIL of a copy that a mailing list sends: the envelope id is not its own (DSNX-5.2.7-02).
[[nodiscard]] std::string without_envid(std::string_view line);

// What the ENVID of a MAIL command was folded with; nothing also if that is malformed, or there is
// more than one ENVID.
[[nodiscard]] std::optional<MtrkParam> folded_mtrk(std::string_view line);

// The plain ENVID of a MAIL command, xtext; empty if there is none or more than one.
[[nodiscard]] std::string plain_envid(std::string_view line);

}  // namespace mtrk::smtp

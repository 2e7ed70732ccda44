#pragma once

#include "common/base/expected.h"
#include "common/track/address.h"
#include "common/track/envelope_id.h"
#include "common/track/mtrk_param.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The ESMTP words of MAIL and RCPT as a milter is given them: argv[0] the address, argv[1..] the
// raw `keyword=value` words in any order and case. What was accepted by the MTA is checked again.
namespace mtrk {

struct MailParams {
  std::string sender;                // argv[0] as received, for smfi_chgfrom
  std::optional<std::string> envid;  // plain, xtext as on the wire, the fold taken off
  std::optional<std::string> ret;    // "FULL" or "HDRS" as given
  std::vector<std::string> others;   // BODY, AUTH, BY and SMTPUTF8 words as given; see Forgotten
  bool folded = false;               // ENVID carried the fold: it has to be restored
  bool mentions_mtrk = false;        // MTRK was there in either form, well-formed or not
  // Set only when the message is to be tracked: one well-formed MTRK and a suitable ENVID.
  struct Tracking {
    EnvelopeId envelope_id;
    MtrkParam mtrk;
  };
  std::optional<Tracking> tracking;
  std::string refusal;  // why not, if mentions_mtrk and not tracking; for one log line
};

// True if any argument may carry MTRK: the cheap test before anything is parsed or allocated.
[[nodiscard]] bool may_carry_mtrk(const char* const* argv);
[[nodiscard]] MailParams parse_mail_params(const char* const* argv);

// What an MTA forgets of MAIL when smfi_chgfrom comes with arguments, and has to be given again.
// Postfix: ENVID and RET, and it warns about others. Sendmail: everything but SIZE.
enum class Forgotten { envid_and_ret, all };

// The ESMTP arguments to give back with the plain ENVID: "ENVID=… RET=… BODY=…".
[[nodiscard]] std::string restored_arguments(const MailParams& params, Forgotten forgotten);

struct RcptParams {
  TypedAddress original;
  TypedAddress final;
};
[[nodiscard]] RcptParams parse_rcpt_params(const char* const* argv);

}  // namespace mtrk

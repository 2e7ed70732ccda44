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

// These functions parse the ESMTP parameters of MAIL and RCPT as a milter receives them: argv[0] is
// the address, and argv[1..] are the raw `keyword=value` words in any order and case. They check
// again what the MTA has accepted.
namespace mtrk {

struct MailParams {
  std::string sender;                // argv[0] as received, for smfi_chgfrom
  std::optional<std::string> envid;  // xtext as on the wire, without the fold
  std::optional<std::string> ret;    // "FULL" or "HDRS" as given
  std::vector<std::string> others;   // BODY, AUTH, BY and SMTPUTF8 words as given; see Forgotten
  bool folded = false;               // ENVID contained the fold and must be restored
  bool mentions_mtrk = false;        // MTRK was present in either form, well-formed or not
  // Set only if the message is to be tracked: it has one well-formed MTRK and a suitable ENVID.
  struct Tracking {
    EnvelopeId envelope_id;
    MtrkParam mtrk;
  };
  std::optional<Tracking> tracking;
  std::string refusal;  // if mentions_mtrk and not tracking: the reason, for one log line
};

// Returns whether any argument may contain MTRK. This is a cheap test, to be made before anything
// is parsed or allocated.
[[nodiscard]] bool may_carry_mtrk(const char* const* argv);
[[nodiscard]] MailParams parse_mail_params(const char* const* argv);

// The parameters of MAIL that an MTA forgets when smfi_chgfrom passes arguments, so that they have
// to be passed again. Postfix forgets ENVID and RET, and warns about others. Sendmail forgets
// everything but SIZE.
enum class Forgotten { envid_and_ret, all };

// Returns the ESMTP arguments to pass again together with the plain ENVID: "ENVID=… RET=… BODY=…".
[[nodiscard]] std::string restored_arguments(const MailParams& params, Forgotten forgotten);

struct RcptParams {
  TypedAddress original;
  TypedAddress final;
};
[[nodiscard]] RcptParams parse_rcpt_params(const char* const* argv);

}  // namespace mtrk

#pragma once

#include "common/store/capture.h"
#include "common/track/mail_params.h"
#include "common/track/mta_name.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace mtrk {

// Follows the SMTP transactions of one connection, one after the other: MAIL … RCPT … DATA … end of
// message, or the end at any point before. Pure: no libmilter, no clock, no store. The glue passes
// in what the MTA said and carries out what comes back.
//
// The session is given only accepted recipients (SMFIP_RCPT_REJ is not negotiated). A message whose
// MTRK cannot be honoured is accepted and not tracked; the reason comes back once, with the queue
// id if there is one, and its fold is restored all the same. A session is used by one thread at a
// time.
class MilterSession {
 public:
  // Says what becomes of the fold of a message that is tracked. If the fold is left, the outbound
  // gate knows the message by it and takes it off (milter/gate/session/onward.h).
  enum class TrackedFold { restore, leave };

  // A message can have this many recipients and still be tracked. Postfix's own limit is 1000.
  static constexpr std::size_t kMaxRecipients = 10'000;

  explicit MilterSession(Forgotten forgotten = Forgotten::envid_and_ret,
                         TrackedFold tracked_fold = TrackedFold::restore)
      : forgotten_(forgotten), tracked_fold_(tracked_fold) {}

  // Begins a message whose MAIL may carry MTRK (may_carry_mtrk). `ticket` is unique to the message.
  // Ends the transaction before, if the MTA did not.
  void on_mail(const char* const* argv, std::uint64_t ticket);
  void on_rcpt(const char* const* argv);

  struct Host {
    MtaName reporting_mta;
    Minutes utc_offset{0};
  };
  // To be called when the queue id is known. Returns a provisional capture, or nothing if the
  // message is not tracked.
  [[nodiscard]] std::optional<store::Capture> on_data(std::string_view queue_id,
                                                      const Host& host,
                                                      TimePoint now);

  struct Restore {  // the arguments of smfi_chgfrom
    std::string sender;
    std::string arguments;
  };
  // Names a provisional capture that was handed out.
  struct Provisional {
    std::string queue_id;
    std::uint64_t ticket;
  };
  struct EndOfMessage {
    // At most one of `confirm` and `capture` is set. `confirm`: what was captured at DATA is final
    // as it is.
    std::optional<Provisional> confirm;
    std::optional<store::Capture> capture;  // the final capture in full
    std::optional<Restore> restore;
    std::size_t recipients = 0;      // of the capture
    std::optional<Seconds> timeout;  // what the capture asks for
  };
  // Ends the message; the session is then ready for the next MAIL. `stands` says that the
  // provisional capture was taken and, as far as is known, not lost.
  [[nodiscard]] EndOfMessage on_eom(std::string_view queue_id,
                                    const Host& host,
                                    TimePoint now,
                                    bool stands);

  // To be called at RSET, a new MAIL, or the end of the connection, any number of times. Returns
  // the provisional capture that has to be dropped, if one was handed out.
  [[nodiscard]] std::optional<Provisional> on_abort();

  // Says why the present message is not tracked although it asked to be; it is given out once.
  enum class Reason { refused, no_queue_id };
  struct Complaint {
    Reason reason;
    std::string text;
  };
  [[nodiscard]] std::optional<Complaint> take_complaint();

  // Returns true while a transaction with MTRK is under way.
  [[nodiscard]] bool active() const { return params_.has_value(); }

 private:
  [[nodiscard]] std::optional<store::Capture> make_capture(std::string_view queue_id,
                                                           const Host& host,
                                                           store::Stage stage);
  void give_up(Reason reason, std::string text);
  void reset();

  Forgotten forgotten_;
  TrackedFold tracked_fold_;
  std::optional<MailParams> params_;
  std::vector<store::Capture::Recipient> recipients_;
  std::unordered_set<std::string> seen_;  // keys of recipients: a repeated RCPT is delivered once
  std::optional<TimePoint> arrival_;
  std::string provisional_queue_id_;  // of the provisional capture, if one was handed out
  std::uint64_t ticket_ = 0;
  std::optional<Complaint> complaint_;
};

}  // namespace mtrk

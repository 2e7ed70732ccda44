#include "milter/capture/session.h"

#include "common/track/address.h"
#include "common/track/queue_id.h"

#include <utility>

namespace mtrk {

void MilterSession::on_mail(const char* const* argv, std::uint64_t ticket) {
  reset();
  ticket_ = ticket;
  params_ = parse_mail_params(argv);
  if (params_->mentions_mtrk && !params_->tracking) {
    complaint_ = Complaint{Reason::refused, params_->refusal};
  }
}

void MilterSession::on_rcpt(const char* const* argv) {
  if (!params_ || !params_->tracking) {
    return;
  }
  if (recipients_.size() >= kMaxRecipients) {
    give_up(Reason::refused, "too many recipients");
    return;
  }
  RcptParams rcpt = parse_rcpt_params(argv);
  if (seen_.insert(recipient_key(rcpt.final.value)).second) {
    recipients_.push_back({std::move(rcpt.original), std::move(rcpt.final)});
  }
}

std::optional<store::Capture> MilterSession::on_data(std::string_view queue_id,
                                                     const Host& host,
                                                     TimePoint now) {
  if (!arrival_) {
    arrival_ = now;
  }
  if (!QueueId::is_queue_id(queue_id)) {
    return std::nullopt;  // the queue id may still be given at end of message
  }
  std::optional<store::Capture> capture = make_capture(queue_id, host, store::Stage::provisional);
  if (capture) {
    provisional_queue_id_ = queue_id;
  }
  return capture;
}

MilterSession::EndOfMessage MilterSession::on_eom(std::string_view queue_id,
                                                  const Host& host,
                                                  TimePoint now,
                                                  bool stands) {
  EndOfMessage end;
  if (!params_) {
    return end;
  }
  const bool leave = tracked_fold_ == TrackedFold::leave && params_->tracking;
  if (params_->folded && !leave && params_->envid && !params_->envid->empty()) {
    end.restore = Restore{params_->sender, restored_arguments(*params_, forgotten_)};
  }
  if (!arrival_) {
    arrival_ = now;
  }
  end.recipients = recipients_.size();
  if (params_->tracking) {
    end.timeout = params_->tracking->mtrk.timeout;
  }
  if (stands && queue_id == provisional_queue_id_) {
    end.confirm = Provisional{std::move(provisional_queue_id_), ticket_};
  } else {
    end.capture = make_capture(queue_id, host, store::Stage::final);
  }
  std::optional<Complaint> complaint = std::move(complaint_);
  reset();
  complaint_ = std::move(complaint);
  return end;
}

std::optional<MilterSession::Provisional> MilterSession::on_abort() {
  std::optional<Provisional> abandoned;
  if (!provisional_queue_id_.empty()) {
    abandoned = Provisional{std::move(provisional_queue_id_), ticket_};
  }
  reset();
  return abandoned;
}

std::optional<MilterSession::Complaint> MilterSession::take_complaint() {
  return std::exchange(complaint_, std::nullopt);
}

std::optional<store::Capture> MilterSession::make_capture(std::string_view queue_id,
                                                          const Host& host,
                                                          store::Stage stage) {
  if (!params_ || !params_->tracking || recipients_.empty()) {
    return std::nullopt;
  }
  std::optional<QueueId> id = QueueId::parse(queue_id);
  if (!id) {
    give_up(Reason::no_queue_id, "the MTA gave no usable queue id");
    return std::nullopt;
  }
  const MailParams::Tracking& tracking = *params_->tracking;
  return store::Capture{
      .queue_id = std::move(*id),
      .envelope_id = tracking.envelope_id,
      .certifier = tracking.mtrk.certifier,
      .timeout = tracking.mtrk.timeout,
      .reporting_mta = host.reporting_mta,
      .arrival = *arrival_,
      .utc_offset = host.utc_offset,
      .ticket = ticket_,
      .stage = stage,
      // The final capture is the last use of the list.
      .recipients = stage == store::Stage::final ? std::move(recipients_) : recipients_,
  };
}

void MilterSession::give_up(Reason reason, std::string text) {
  params_->tracking.reset();
  recipients_.clear();
  seen_.clear();
  complaint_ = Complaint{reason, std::move(text)};
}

void MilterSession::reset() {
  params_.reset();
  recipients_.clear();
  seen_.clear();
  arrival_.reset();
  provisional_queue_id_.clear();
  ticket_ = 0;
  complaint_.reset();
}

}  // namespace mtrk

#include "milter/capture/glue.h"

#include "common/base/log.h"
#include "common/track/mail_params.h"
#include "common/track/mta_name.h"
#include "milter/base/descriptors.h"
#include "milter/capture/session.h"

#include <fmt/format.h>
#include <libmilter/mfapi.h>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace mtrk::milter_glue {
namespace {

using SteadyClock = std::chrono::steady_clock;

// smfi_setpriv holds a Connection: it is made at the first MAIL with MTRK of a connection, and
// freed at the connection's end.
struct Connection {
  Connection(const Options& options, sfsistat reply)
      : session(options.forgotten, options.tracked_fold), no_reply(reply) {}
  MilterSession session;
  std::shared_ptr<CommitTicket> provisional;  // of the capture at DATA, if that was taken
  sfsistat no_reply;                          // what RCPT and DATA return
  bool counted = false;                       // counted in Glue::active
};

// smfi_setpriv holds this instead of a Connection if the MTA wants a reply to everything.
char replies_wanted;

struct Glue {
  Options options;
  Services services;
  std::string system_name;
  std::atomic<std::uint64_t> next_ticket;
  std::atomic<std::size_t> active{0};
  Descriptors descriptors{};
};
Glue* glue = nullptr;  // set once, before any callback can run; never freed

template <typename Callback>
sfsistat guarded(sfsistat otherwise, Callback&& callback) noexcept {
  try {
    return callback();
  } catch (...) {
    count(glue->services.counters.exceptions);
    return otherwise;
  }
}

Connection* connection_of(SMFICTX* context) {
  void* const held = smfi_getpriv(context);
  return held == &replies_wanted ? nullptr : static_cast<Connection*>(held);
}

// Returns the reply to RCPT and DATA, which is none if the MTA has agreed not to wait for it.
sfsistat no_reply_of(SMFICTX* context) {
  const void* const held = smfi_getpriv(context);
  return held == &replies_wanted || glue->options.transport == Transport::tcp ? SMFIS_CONTINUE
                                                                              : SMFIS_NOREPLY;
}

Connection& make_connection(SMFICTX* context) {
  auto connection = std::make_unique<Connection>(glue->options, no_reply_of(context));
  smfi_setpriv(context, connection.get());
  return *connection.release();
}

void count_active(Connection& connection) {
  const bool active = connection.session.active();
  if (active != connection.counted) {
    connection.counted = active;
    if (active) {
      glue->active.fetch_add(1);
    } else {
      glue->active.fetch_sub(1);
    }
  }
}

std::string_view macro(SMFICTX* context, const char* name) {
  // The prototype of libmilter lacks the const; the function only compares.
  const char* const value = smfi_getsymval(context, const_cast<char*>(name));
  return value == nullptr ? std::string_view() : value;
}

TimePoint wall_clock() {
  return std::chrono::floor<Seconds>(std::chrono::system_clock::now());
}

MilterSession::Host host_of(SMFICTX* context) {
  std::string_view name = glue->options.hostname;
  if (name.empty()) {
    name = macro(context, "j");
  }
  if (name.empty()) {
    name = glue->system_name;
  }
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return {local_mta_name(name), Minutes(local.tm_gmtoff / 60)};
}

// Logs one line for a message that asked for tracking and does not get it.
void complain(MilterSession& session, std::string_view queue_id) {
  const std::optional<MilterSession::Complaint> complaint = session.take_complaint();
  if (!complaint) {
    return;
  }
  const bool refused = complaint->reason == MilterSession::Reason::refused;
  count(refused ? glue->services.counters.refused : glue->services.counters.no_queue_id);
  log::notice(queue_id, {{"mtrk", "not-tracked"}, {"reason", complaint->text}});
}

void abandon(Connection& connection) {
  const bool was_active = connection.session.active();
  const std::optional<MilterSession::Provisional> abandoned = connection.session.on_abort();
  connection.provisional.reset();
  count_active(connection);
  if (was_active) {
    count(glue->services.counters.aborted);
  }
  if (abandoned) {
    glue->services.sink.drop(abandoned->queue_id, abandoned->ticket);
  }
}

// Waits for the commit, but no longer than commit_wait. Returns the result for the log.
std::string_view await_commit(const std::shared_ptr<CommitTicket>& ticket) {
  Counters& counters = glue->services.counters;
  CircuitBreaker& breaker = glue->services.breaker;
  if (!ticket) {
    count(counters.unacked);
    return "not-awaited";
  }
  const std::optional<CommitResult> result =
      ticket->wait_until(SteadyClock::now() + glue->options.commit_wait);
  if (result == CommitResult::committed) {
    breaker.wait_succeeded();
    count(counters.acked);
    return "done";
  }
  count(counters.unacked);
  if (breaker.wait_failed() == CircuitBreaker::Change::opened) {
    count(counters.breaker_opened);
    log::warning("", {{"store", "slow-or-failing"}, {"commit-wait", "suspended"}});
  }
  return result ? "failed" : "late";
}

// Hands over what makes the capture final. `ticket` is that of the provisional capture, and becomes
// the one to wait for, or null if there is no point in waiting. Returns false if the capture was
// not taken.
bool hand_over(MilterSession::EndOfMessage& end, std::shared_ptr<CommitTicket>& ticket) {
  CaptureSink& sink = glue->services.sink;
  const bool wait = glue->services.breaker.allows_wait(SteadyClock::now());
  bool taken = false;
  if (end.confirm) {
    taken = sink.confirm({std::move(end.confirm->queue_id), end.confirm->ticket}, *ticket);
  } else {
    ticket = std::make_shared<CommitTicket>();
    taken = sink.put(*std::move(end.capture), ticket);
  }
  if (!wait || !taken) {
    ticket.reset();
  } else {
    sink.hurry(*ticket, glue->active.load());
  }
  return taken;
}

// Gives the ENVID back while the writer is busy with the capture, and then waits for the commit.
void finish(SMFICTX* context,
            MilterSession::EndOfMessage end,
            std::shared_ptr<CommitTicket> ticket,
            std::string_view queue_id) {
  Counters& counters = glue->services.counters;
  const bool wanted = end.confirm || end.capture;
  bool taken = false;
  if (wanted) {
    guarded(SMFIS_CONTINUE, [&] {
      taken = hand_over(end, ticket);
      return SMFIS_CONTINUE;
    });
    count(taken ? counters.tracked : counters.shed);
  }
  if (end.restore) {
    if (smfi_chgfrom(context, end.restore->sender.data(), end.restore->arguments.data()) ==
        MI_SUCCESS) {
      count(counters.restored);
    } else {
      log::warning(queue_id, {{"mtrk", "fold-not-restored"}});
    }
  }
  if (taken) {
    const std::string_view commit = await_commit(ticket);
    log::info(queue_id, {{"mtrk", "tracked"},
                         {"nrcpt", fmt::to_string(end.recipients)},
                         {"timeout", end.timeout ? fmt::to_string(end.timeout->count()) : "-"},
                         {"commit", commit}});
  } else if (wanted) {
    log::warning(queue_id, {{"mtrk", "not-tracked"}, {"reason", "store queue full"}});
  }
}

// Refuses a session because descriptors run out. The MTA has not begun yet: for it there is no
// milter, so the mail goes on at once (default_action=accept).
sfsistat turn_away() {
  count(glue->services.counters.turned_away);
  if (glue->descriptors.may_complain(SteadyClock::now())) {
    log::warning("", {{"milter", "sessions turned away"},
                      {"reason", "out of descriptors"},
                      {"limit", fmt::to_string(glue->descriptors.limit())}});
  }
  return SMFIS_REJECT;
}

// The callbacks follow in the order of a session.

sfsistat on_negotiate(SMFICTX* context,
                      unsigned long actions,
                      unsigned long steps,
                      unsigned long /*f2*/,
                      unsigned long /*f3*/,
                      unsigned long* wanted_actions,
                      unsigned long* wanted_steps,
                      unsigned long* wanted_f2,
                      unsigned long* wanted_f3) {
  return guarded(SMFIS_CONTINUE, [&] {
    if (!glue->descriptors.left()) {
      return turn_away();
    }
    constexpr unsigned long kNotShown = SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOHDRS |
                                        SMFIP_NOEOH | SMFIP_NOBODY | SMFIP_NOUNKNOWN;
    constexpr unsigned long kNoReply = SMFIP_NR_RCPT | SMFIP_NR_DATA;
    *wanted_actions = actions & SMFIF_CHGFROM;
    *wanted_steps = steps & kNotShown;
    *wanted_f2 = 0;
    *wanted_f3 = 0;
    if (glue->options.transport == Transport::unix_socket) {
      if ((steps & kNoReply) == kNoReply) {
        *wanted_steps |= kNoReply;
      } else {
        smfi_setpriv(context, &replies_wanted);
      }
    }
    if ((actions & SMFIF_SETSYMLIST) != 0) {
      // Macros cost the MTA time at each step; for some it has to ask another process. The queue id
      // and the host's name are needed only from DATA on and only by tracked messages, and those of
      // DATA stay known at end of message. Postfix takes an empty list for its own default, so "no
      // macros" is a name that is never defined.
      char none[] = "{none}";
      char identity[] = "i j";
      for (const int step :
           {SMFIM_CONNECT, SMFIM_HELO, SMFIM_ENVFROM, SMFIM_ENVRCPT, SMFIM_EOH, SMFIM_EOM}) {
        smfi_setsymlist(context, step, none);
      }
      smfi_setsymlist(context, SMFIM_DATA, identity);
    }
    return SMFIS_CONTINUE;
  });
}

sfsistat on_mail(SMFICTX* context, char** argv) {
  // Failing here means that memory has run out. Then nothing more is heard of this message.
  return guarded(SMFIS_ACCEPT, [&] {
    Connection* connection = connection_of(context);
    if (connection != nullptr) {
      abandon(*connection);
    }
    if (!may_carry_mtrk(argv)) {
      count(glue->services.counters.untracked);
      return SMFIS_ACCEPT;
    }
    if (connection == nullptr) {
      connection = &make_connection(context);
    }
    connection->session.on_mail(argv, glue->next_ticket.fetch_add(1));
    count_active(*connection);
    return SMFIS_CONTINUE;
  });
}

sfsistat on_rcpt(SMFICTX* context, char** argv) {
  Connection* const connection = connection_of(context);
  if (connection == nullptr) {
    return no_reply_of(context);
  }
  return guarded(connection->no_reply, [&] {
    connection->session.on_rcpt(argv);
    return connection->no_reply;
  });
}

sfsistat on_data(SMFICTX* context) {
  Connection* const connection = connection_of(context);
  if (connection == nullptr) {
    return no_reply_of(context);
  }
  return guarded(connection->no_reply, [&] {
    const std::string_view queue_id = macro(context, "i");
    std::optional<store::Capture> capture =
        connection->session.on_data(queue_id, host_of(context), wall_clock());
    complain(connection->session, queue_id);
    if (capture) {
      auto ticket = std::make_shared<CommitTicket>();
      if (glue->services.sink.put(*std::move(capture), ticket)) {
        connection->provisional = std::move(ticket);
      } else {
        count(glue->services.counters.shed);
      }
    }
    return connection->no_reply;
  });
}

sfsistat on_eom(SMFICTX* context) {
  return guarded(SMFIS_CONTINUE, [&] {
    Connection* const connection = connection_of(context);
    if (connection == nullptr) {
      return SMFIS_CONTINUE;
    }
    const std::string_view queue_id = macro(context, "i");
    std::shared_ptr<CommitTicket> ticket = std::move(connection->provisional);
    const bool stands = ticket && ticket->result() != CommitResult::failed;
    MilterSession::EndOfMessage end =
        connection->session.on_eom(queue_id, host_of(context), wall_clock(), stands);
    complain(connection->session, queue_id);
    finish(context, std::move(end), std::move(ticket), queue_id);
    count_active(*connection);
    return SMFIS_CONTINUE;
  });
}

sfsistat on_abort(SMFICTX* context) {
  return guarded(SMFIS_CONTINUE, [&] {
    if (Connection* const connection = connection_of(context)) {
      abandon(*connection);
    }
    return SMFIS_CONTINUE;
  });
}

sfsistat on_close(SMFICTX* context) {
  return guarded(SMFIS_CONTINUE, [&] {
    const std::unique_ptr<Connection> connection(connection_of(context));
    smfi_setpriv(context, nullptr);
    if (connection) {
      abandon(*connection);
    }
    return SMFIS_CONTINUE;
  });
}

std::string system_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

void open(Options options, Services services, const std::string& connection) {
  const auto started = std::chrono::system_clock::now().time_since_epoch();
  glue = new Glue{std::move(options), services, system_name(),
                  // The number is unique across restarts, because a provisional capture of an
                  // earlier process must not match.
                  static_cast<std::uint64_t>(std::chrono::nanoseconds(started).count())};
  char name[] = "mtrk-milter";
  smfiDesc filter{};
  filter.xxfi_name = name;
  filter.xxfi_version = SMFI_VERSION;
  filter.xxfi_flags = SMFIF_CHGFROM | SMFIF_SETSYMLIST;
  filter.xxfi_envfrom = on_mail;
  filter.xxfi_envrcpt = on_rcpt;
  filter.xxfi_data = on_data;
  filter.xxfi_eom = on_eom;
  filter.xxfi_abort = on_abort;
  filter.xxfi_close = on_close;
  filter.xxfi_negotiate = on_negotiate;

  std::string spec = connection;
  // The default of libmilter, 20, is less than the number of connections that many busy smtpd(8)
  // processes open at once.
  smfi_setbacklog(1024);
  errno = 0;
  if (smfi_setconn(spec.data()) == MI_FAILURE || smfi_register(filter) == MI_FAILURE ||
      smfi_opensocket(/*rmsocket=*/true) == MI_FAILURE) {
    throw std::system_error(errno != 0 ? errno : EINVAL, std::system_category(),
                            "cannot listen on " + connection);
  }
}

bool run() {
  return smfi_main() == MI_SUCCESS;
}

void stop() {
  smfi_stop();
}

std::size_t active_messages() {
  return glue == nullptr ? 0 : glue->active.load();
}

}  // namespace mtrk::milter_glue

#pragma once

#include "common/base/time.h"
#include "common/track/mail_params.h"
#include "milter/base/circuit_breaker.h"
#include "milter/base/counters.h"
#include "milter/capture/session.h"
#include "milter/capture/sink.h"

#include <cstddef>
#include <string>

// The only code that knows libmilter. Debian's libmilter is a worker pool: callbacks of one
// connection come one after the other, but on different threads; all state of a message hangs off
// smfi_setpriv. Every callback is a noexcept trampoline that can only let the mail go on: nothing
// here answers REJECT, TEMPFAIL or DISCARD to the mail system. (To libmilter, REJECT at negotiation
// means that there is no session: the mail goes on as without us.)
//
// Mail without MTRK costs one look at the arguments of MAIL and is answered ACCEPT: no allocation,
// nothing more is heard of it.
//
// libmilter keeps its state in globals: one filter a process, run once.
namespace mtrk::milter_glue {

enum class Transport { unix_socket, tcp };

struct Options {
  std::string hostname;  // Reporting-MTA; empty: macro j, else the system's name
  Milliseconds commit_wait{1000};
  // "No reply" flags save round trips on unix sockets and meet Nagle's algorithm on TCP,
  // so they are negotiated on the former only.
  Transport transport = Transport::unix_socket;
  Forgotten forgotten = Forgotten::envid_and_ret;  // by this MTA
  MilterSession::TrackedFold tracked_fold = MilterSession::TrackedFold::restore;
};

// What the callbacks use; must outlive every callback, that is, the process: libmilter's workers
// are not joined when run() returns.
struct Services {
  CaptureSink& sink;
  CircuitBreaker& breaker;
  Counters& counters;
};

// Registers the filter and binds `connection` ("unix:/path" or "inet:port@host"). Throws
// std::system_error if the socket cannot be bound.
void open(Options options, Services services, const std::string& connection);

// smfi_main(): serves until stop(), SIGTERM or SIGINT as libmilter sees it. False if it failed.
bool run();

// Makes run() return. May block for up to five seconds, libmilter's poll interval, unless somebody
// connects meanwhile.
void stop();

// Messages with MTRK between MAIL and their end.
[[nodiscard]] std::size_t active_messages();

}  // namespace mtrk::milter_glue

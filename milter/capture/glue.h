#pragma once

#include "common/base/time.h"
#include "common/track/mail_params.h"
#include "milter/base/circuit_breaker.h"
#include "milter/base/counters.h"
#include "milter/capture/session.h"
#include "milter/capture/sink.h"

#include <cstddef>
#include <string>

// This is the only code that knows libmilter. Debian's libmilter is a worker pool: callbacks of one
// connection come one after the other, but on different threads, so all state of a message hangs
// off smfi_setpriv. Every callback is a noexcept trampoline that can only let the mail go on:
// nothing here answers REJECT, TEMPFAIL or DISCARD to the mail system. (For libmilter, REJECT at
// negotiation means that there is no session: the mail goes on as if there were no milter.)
//
// Mail without MTRK costs one look at the arguments of MAIL and is answered ACCEPT. Nothing is
// allocated for it, and libmilter calls nothing more for it.
//
// libmilter keeps its state in globals, so a process has one filter and runs it once.
namespace mtrk::milter_glue {

enum class Transport { unix_socket, tcp };

struct Options {
  std::string hostname;  // for Reporting-MTA; empty: macro j, else the system's name
  Milliseconds commit_wait{1000};
  // The "no reply" flags save round trips on unix sockets but meet Nagle's algorithm on TCP, so
  // they are negotiated on unix sockets only.
  Transport transport = Transport::unix_socket;
  Forgotten forgotten = Forgotten::envid_and_ret;  // what this MTA forgets
  MilterSession::TrackedFold tracked_fold = MilterSession::TrackedFold::restore;
};

// Services is what the callbacks use. The objects must outlive every callback, that is, the
// process, because libmilter's workers are not joined when run() returns.
struct Services {
  CaptureSink& sink;
  CircuitBreaker& breaker;
  Counters& counters;
};

// Registers the filter and binds `connection` ("unix:/path" or "inet:port@host"). Throws
// std::system_error if the socket cannot be bound.
void open(Options options, Services services, const std::string& connection);

// Calls smfi_main(), which serves until stop(), SIGTERM or SIGINT. Returns false if it failed.
bool run();

// Makes run() return. This may block for up to five seconds, which is libmilter's poll interval,
// unless a connection comes meanwhile.
void stop();

// Returns how many messages with MTRK are between MAIL and their end.
[[nodiscard]] std::size_t active_messages();

}  // namespace mtrk::milter_glue

#include "milter/milter_daemon.h"

#include "common/base/exit_code.h"
#include "common/base/log.h"
#include "common/base/systemd.h"
#include "common/config/gate_socket.h"
#include "milter/capture_sink.h"
#include "milter/circuit_breaker.h"
#include "milter/counters.h"
#include "milter/log_follower.h"
#include "milter/log_location.h"
#include "milter/milter_glue.h"
#include "milter/milter_socket.h"
#include "milter/onward_service.h"
#include "milter/queue_watcher.h"
#include "milter/signal_pipe.h"
#include "milter/store_queue.h"
#include "milter/store_writer.h"
#include "milter/thread_policy.h"

#include <fmt/format.h>

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace mtrk {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMaxQueued = 16 * 1024;
constexpr std::size_t kMaxQueuedLog = 4 * 1024 * 1024;
constexpr std::size_t kThreadStack = 256 * 1024;
constexpr int kKeptFree = 8 * 1024 * 1024;  // of an arena of malloc(3)
constexpr auto kDrain = 20s;

struct Shared {
  Counters counters;
  CircuitBreaker breaker;
  StoreQueue queue{kMaxQueued, kMaxQueuedLog};
  QueueSink sink{queue};
};

// Used by callbacks on libmilter's worker threads, which nobody can join: never destroyed.
Shared& shared_state() {
  static Shared* const kept = new Shared;
  return *kept;
}

constexpr std::initializer_list<int> kSignals = {SIGTERM, SIGINT, SIGUSR1};

// Before any thread exists: all of them inherit the mask.
void prepare_process() {
  // libmilter waits for HUP in a thread of its own and would stop. A signal that is ignored, and
  // not blocked in the main thread, is discarded when it is sent.
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kSignals) {
    sigaddset(&set, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // One worker thread a busy connection, none deep: 256 KiB instead of 8 MiB each.
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kThreadStack);
  ::pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
  // The store's writer takes and frees some hundred KiB a commit. Each time glibc gave them back to
  // the system and asked for them again, a tenth of what a tracked message costs the milter.
  // libmilter's threads come and go with the messages, and further arenas grow by single pages.
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TRIM_THRESHOLD, kKeptFree);
  ::mallopt(M_TOP_PAD, kKeptFree / 8);
}

// smfi_main() on a thread of its own; the main thread waits for signals instead (signal_pipe.h).
class Server {
 public:
  explicit Server(SignalPipe& signals) : signals_(signals), thread_([this] { run(); }) {}

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool failed() const { return failed_; }

  // libmilter looks at its stop flag when somebody connects, else every five seconds.
  void stop(const PublishedSocket* socket) {
    std::thread stopper([] { milter_glue::stop(); });
    while (!ended_) {
      if (socket != nullptr) {
        socket->knock();
      }
      std::this_thread::sleep_for(10ms);
    }
    stopper.join();
    thread_.join();
  }

 private:
  void run() noexcept {
    signals_.block_in_this_thread();
    // libmilter's threads, made by this one, inherit it: each step of a message wakes two of them,
    // the one that polls all connections and one that serves the step.
    let_others_finish();
    failed_ = !milter_glue::run();
    ended_ = true;
    signals_.wake();
  }

  SignalPipe& signals_;
  std::atomic<bool> ended_{false};
  std::atomic<bool> failed_{false};
  std::thread thread_;
};

void reload_configuration(const ReloadConfig& reload,
                          Config& running,
                          StoreWriter& writer,
                          OnwardService& onward) {
  systemd::notify_reloading();
  const Expected<Config> loaded = reload();
  if (!loaded) {
    log::error("", {{"reload", "failed"}, {"error", loaded.error().detail}});
  } else {
    Config next = running;
    next.retention = loaded->retention;
    next.log.queue_lifetime = loaded->log.queue_lifetime;
    next.log.filters = loaded->log.filters;
    next.gate = loaded->gate;
    next.privacy.forwarding = loaded->privacy.forwarding;
    writer.reconfigure(next);
    onward.set_policy(pass_on_policy(next));
    running = next;
    const bool complete = print_config(*loaded, Show::all) == print_config(running, Show::all);
    log::notice("", {{"reload", "done"},
                     {"restart", complete ? "not needed" : "needed for the other changes"}});
  }
  systemd::notify_ready("serving");
}

// Until told to stop, or until libmilter ends by itself.
void serve(const Server& server,
           SignalPipe& signals,
           const ReloadConfig& reload,
           Config running,
           StoreWriter& writer,
           OnwardService& onward) {
  const auto interval = systemd::watchdog_interval();
  const Milliseconds pause = interval ? std::chrono::ceil<Milliseconds>(*interval) : 3600s;
  while (!server.ended()) {
    switch (signals.wait(pause)) {
      case SIGTERM:
      case SIGINT:
        return;
      case SIGUSR1:
        reload_configuration(reload, running, writer, onward);
        break;
      default:
        systemd::notify_watchdog();
    }
  }
}

// libmilter would break off the messages under way; their folds could not be restored any more.
void drain(const Server& server, SignalPipe& signals) {
  const SteadyClock::time_point deadline = SteadyClock::now() + kDrain;
  while (milter_glue::active_messages() > 0 && !server.ended() && SteadyClock::now() < deadline) {
    const int signal = signals.wait(20ms);
    if (signal == SIGTERM || signal == SIGINT) {
      return;
    }
  }
}

std::unique_ptr<PublishedSocket> open_socket(const MilterAddress& address,
                                             const Config& config,
                                             Shared& shared) {
  milter_glue::Options options;
  options.hostname = config.hostname;
  options.commit_wait = config.milter.commit_wait;
  options.transport =
      address.tcp ? milter_glue::Transport::tcp : milter_glue::Transport::unix_socket;
  options.forgotten = config.log.mta == Mta::sendmail ? Forgotten::all : Forgotten::envid_and_ret;
  options.tracked_fold = config.milter.leave_fold ? MilterSession::TrackedFold::leave
                                                  : MilterSession::TrackedFold::restore;
  const mode_t before = ::umask(0117);  // the socket: 0660, the group of its setgid directory
  milter_glue::open(std::move(options), {shared.sink, shared.breaker, shared.counters},
                    address.connection);
  ::umask(before);
  return address.tcp ? nullptr
                     : std::make_unique<PublishedSocket>(
                           PublishedSocket::private_path(address.path), address.path);
}

// Of the places where the log may be, the one that was followed before, else the best.
const LogPlace& choose_log(const std::vector<LogPlace>& places, StoreWriter& writer) {
  const auto followed = std::find_if(places.begin(), places.end(), [&](const LogPlace& place) {
    return writer.cursor(place.name()).has_value();
  });
  return followed == places.end() ? places.front() : *followed;
}

// Where following begins. It is taken, and kept, before any mail can be tracked: no line about it
// is missed, wherever we are killed.
store::LogCursor start_position(const LogPlace& place,
                                const Config& config,
                                StoreWriter& writer,
                                Counters& counters) {
  if (const std::optional<store::LogCursor> known = writer.cursor(place.name())) {
    return *known;
  }
  const store::LogCursor position = open_log(place, config.log, std::nullopt, counters)->cursor();
  writer.put_cursor(place.name(), position);
  return position;
}

}  // namespace

std::string milter_complaint(const Config& config) {
  if (const auto address = parse_milter_address(config.milter.socket); !address) {
    return "milter.socket: " + address.error().detail;
  }
  if (config.milter.socket.ends_with(':' + gate_socket_path(config))) {
    return "milter.gate_socket: is milter.socket";
  }
  const std::vector<std::string>& command = config.log.queue_command;
  if (!command.empty() && command[0].substr(0, 1) != "/") {
    return "log.queue_command: the program's full path is needed";
  }
  return log_complaint(config);
}

int run_milter_daemon(const Config& config, const ReloadConfig& reload) {
  prepare_process();
  ::umask(0027);
  const MilterAddress address = parse_milter_address(config.milter.socket).value();
  const std::vector<LogPlace> places = locate_log(config);
  if (const std::string warning = log_warning(config); !warning.empty()) {
    log::warning("", {{"log", "ambiguous"}, {"why", warning}});
  }

  Shared& shared = shared_state();
  OnwardStore onward_store;
  StoreWriter writer(config, shared.queue, shared.breaker, shared.counters, &onward_store);

  const LogPlace& log_place = choose_log(places, writer);
  const store::LogCursor position = start_position(log_place, config, writer, shared.counters);
  LogFollower follower([&] { return open_log(log_place, config.log, position, shared.counters); },
                       shared.queue, shared.counters);

  QueueWatcher queue_watcher(config, follower, shared.queue, shared.counters);

  // Nobody asks where no mail leaves by mtrk-gate.
  OnwardService onward(config.gate.outbound.listen.empty() ? "" : gate_socket_path(config),
                       pass_on_policy(config), onward_store);

  std::unique_ptr<PublishedSocket> socket;
  try {
    socket = open_socket(address, config, shared);
  } catch (const std::system_error& error) {
    log::error("", {{"socket", config.milter.socket}, {"error", error.what()}});
    return exit_code::cant_create;
  }
  writer.start();
  follower.start();
  queue_watcher.start();
  onward.start();
  SignalPipe signals(kSignals);
  Server server(signals);
  log::notice("",
              {{"state", "serving"}, {"socket", config.milter.socket}, {"log", log_place.name()}});
  systemd::notify_ready("serving");

  serve(server, signals, reload, config, writer, onward);

  systemd::notify_stopping();
  if (socket) {
    socket->unpublish();
  }
  drain(server, signals);
  server.stop(socket.get());
  onward.stop();
  queue_watcher.request_stop();
  follower.request_stop();
  shared.queue.close();
  queue_watcher.join();
  follower.join();
  writer.join();
  log::notice("", {{"state", "stopped"},
                   {"tracked", fmt::to_string(shared.counters.tracked.load())},
                   {"lines", fmt::to_string(shared.counters.lines.load())}});
  return server.failed() ? exit_code::software : exit_code::ok;
}

}  // namespace mtrk

#include "milter/daemon/daemon.h"

#include "common/base/exit_code.h"
#include "common/base/log.h"
#include "common/base/systemd.h"
#include "common/base/unique_fd.h"
#include "common/config/gate_socket.h"
#include "milter/base/circuit_breaker.h"
#include "milter/base/counters.h"
#include "milter/base/descriptors.h"
#include "milter/base/socket.h"
#include "milter/base/thread_policy.h"
#include "milter/capture/glue.h"
#include "milter/daemon/signal_pipe.h"
#include "milter/log/location.h"
#include "milter/store_process/client.h"
#include "milter/store_process/keeper.h"
#include "milter/store_process/side.h"

#include <fmt/format.h>

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace mtrk {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMaxQueued = 16 * 1024;
constexpr std::size_t kThreadStack = 256 * 1024;
constexpr int kKeptFree = 8 * 1024 * 1024;  // of an arena of malloc(3)
constexpr auto kDrain = 20s;
constexpr Milliseconds kLookAround = 1s;  // how often the store's state is looked at

// Returns counters in memory that is shared with the store process. Each side counts what it sees.
Counters& shared_counters() {
  static_assert(Counters::Value::is_always_lock_free);
  void* const room =
      ::mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) {
    throw std::system_error(errno, std::system_category(), "mmap");
  }
  return *new (room) Counters;
}

// Callbacks use this on libmilter's worker threads. These threads cannot be joined, so it is never
// destroyed.
struct MailState;
MailState* mail_state = nullptr;

struct MailState {
  Counters& counters;
  CircuitBreaker breaker;
  StoreClient store;

  MailState(StoreKeeper& keeper, int wake, Counters& shared)
      : counters(shared), store(keeper, wake, breaker, shared, kMaxQueued) {}
};

constexpr std::initializer_list<int> kSignals = {SIGTERM, SIGINT, SIGUSR1};

// To be called before any thread exists, because all threads inherit the signal mask.
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
  raise_descriptor_limit();
  // A busy connection has one worker thread, and none needs a deep stack: 256 KiB instead of 8 MiB
  // each.
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kThreadStack);
  ::pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
  // The store's writer takes and frees some hundred KiB in a commit. If glibc gave them back to the
  // system each time and asked for them again, that would be a tenth of what a tracked message
  // costs the milter. libmilter's threads come and go with the messages, and further arenas would
  // grow by single pages.
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TRIM_THRESHOLD, kKeptFree);
  ::mallopt(M_TOP_PAD, kKeptFree / 8);
}

// Runs smfi_main() on a thread of its own; the main thread waits for signals instead
// (signal_pipe.h).
class Server {
 public:
  explicit Server(SignalPipe& signals) : signals_(signals), thread_([this] { run(); }) {}

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool failed() const { return failed_; }

  // libmilter looks at its stop flag when a client connects, and otherwise every five seconds.
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
    // libmilter's threads inherit this policy, because this thread makes them. Each step of a
    // message wakes two of them: the one that polls all connections and one that serves the step.
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

// The store process does the reloading; this process sees whether the new configuration can be
// used.
void reload_configuration(const ReloadConfig& reload, Config& running, StoreClient& store) {
  systemd::notify_reloading();
  const Expected<Config> loaded = reload();
  if (!loaded) {
    log::error("", {{"reload", "failed"}, {"error", loaded.error().detail}});
  } else {
    running.retention = loaded->retention;
    running.log.queue_lifetime = loaded->log.queue_lifetime;
    running.log.filters = loaded->log.filters;
    running.gate = loaded->gate;
    running.privacy.forwarding = loaded->privacy.forwarding;
    store.reload();
    const bool complete = print_config(*loaded, Show::all) == print_config(running, Show::all);
    log::notice("", {{"reload", "done"},
                     {"restart", complete ? "not needed" : "needed for the other changes"}});
  }
  systemd::notify_ready(store.status());
}

// Serves until a signal ends it, or until libmilter ends by itself.
void serve(const Server& server,
           SignalPipe& signals,
           const ReloadConfig& reload,
           Config running,
           StoreClient& store) {
  const auto interval = systemd::watchdog_interval();
  const Milliseconds pause =
      interval ? std::min(kLookAround, std::chrono::ceil<Milliseconds>(*interval)) : kLookAround;
  while (!server.ended()) {
    switch (signals.wait(pause)) {
      case SIGTERM:
      case SIGINT:
        return;
      case SIGUSR1:
        reload_configuration(reload, running, store);
        break;
      default:
        // The store process has a watch of its own (StoreClient), and mail goes on without it.
        systemd::notify_watchdog();
        if (const std::optional<std::string> status = store.take_status()) {
          systemd::notify_status(*status);
        }
    }
  }
}

// Waits for the messages under way. libmilter would break them off, and then their folds could not
// be restored any more.
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
                                             MailState& mail) {
  milter_glue::Options options;
  options.hostname = config.hostname;
  options.commit_wait = config.milter.commit_wait;
  options.transport =
      address.tcp ? milter_glue::Transport::tcp : milter_glue::Transport::unix_socket;
  options.forgotten = config.log.mta == Mta::sendmail ? Forgotten::all : Forgotten::envid_and_ret;
  options.tracked_fold = config.milter.leave_fold ? MilterSession::TrackedFold::leave
                                                  : MilterSession::TrackedFold::restore;
  // The socket gets mode 0660 and the group of its setgid directory.
  const mode_t before = ::umask(0117);
  milter_glue::open(std::move(options), {mail.store, mail.breaker, mail.counters},
                    address.connection);
  ::umask(before);
  return address.tcp ? nullptr
                     : std::make_unique<PublishedSocket>(
                           PublishedSocket::private_path(address.path), address.path);
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

  Counters& counters = shared_counters();
  const UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const StoreSide side{config, reload, places, counters, wake.get()};
  StoreKeeper keeper([&side](UniqueFd connection, StoreKeeper::Start start) {
    return run_store_side(side, std::move(connection), start);
  });
  mail_state = new MailState(keeper, wake.get(), counters);
  MailState& mail = *mail_state;
  if (const std::optional<int> code = mail.store.start()) {
    mail.store.stop();
    return *code;
  }

  std::unique_ptr<PublishedSocket> socket;
  try {
    socket = open_socket(address, config, mail);
  } catch (const std::system_error& error) {
    log::error("", {{"socket", config.milter.socket}, {"error", error.what()}});
    mail.store.stop();
    return exit_code::cant_create;
  }
  SignalPipe signals(kSignals);
  Server server(signals);
  log::notice(
      "", {{"state", "serving"}, {"socket", config.milter.socket}, {"log", mail.store.log_name()}});
  systemd::notify_ready(mail.store.status());

  serve(server, signals, reload, config, mail.store);

  systemd::notify_stopping();
  if (socket) {
    socket->unpublish();
  }
  drain(server, signals);
  server.stop(socket.get());
  mail.store.stop();
  log::notice("", {{"state", "stopped"},
                   {"tracked", fmt::to_string(counters.tracked.load())},
                   {"lines", fmt::to_string(counters.lines.load())}});
  return server.failed() ? exit_code::software : exit_code::ok;
}

}  // namespace mtrk

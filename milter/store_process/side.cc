#include "milter/store_process/side.h"

#include "common/base/exit_code.h"
#include "common/base/log.h"
#include "common/config/gate_socket.h"
#include "common/store/store_error.h"
#include "common/store/store_files.h"
#include "milter/feed/log_follower.h"
#include "milter/feed/log_health.h"
#include "milter/feed/queue_watcher.h"
#include "milter/log/source.h"
#include "milter/onward/service.h"
#include "milter/onward/store.h"
#include "milter/store_process/wire.h"
#include "milter/writer/queue.h"
#include "milter/writer/writer.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace mtrk {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kStoreQueued = 16 * 1024;
constexpr std::size_t kStoreQueuedLog = 4 * 1024 * 1024;
constexpr auto kLookAtConnection = 1s;  // for what nobody waits for, and the log's state

// MailSide is the store process's end of the connection.
class MailSide {
 public:
  MailSide(UniqueFd connection, StoreQueue& queue)
      : connection_(std::move(connection)), queue_(queue) {}

  [[nodiscard]] int fd() const { return connection_.get(); }

  // Reads everything that has arrived so far. Any thread may call it.
  void take_in();
  // Returns whether Begin has arrived. Until then only what came before it is read.
  [[nodiscard]] bool begun() const { return begun_; }
  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] bool gone() const { return gone_; }
  [[nodiscard]] bool take_reload() { return reload_.exchange(false); }

  void say(const store_wire::Message& message);
  // Does what say() does, but together with the next say(). Only the writer calls it.
  void say_later(const store_wire::Message& message);

 private:
  class Ticket final : public CommitTicket {
   public:
    Ticket(MailSide& side, store_wire::Sequence of) : side_(side), sequence_(of) {}

   private:
    void completed(CommitResult result) override { side_.done(sequence_, result); }
    MailSide& side_;
    store_wire::Sequence sequence_;
  };

  void act(store_wire::Message message);
  void push(StoreOperation operation, const std::shared_ptr<CommitTicket>& ticket);
  void done(store_wire::Sequence sequence, CommitResult result);

  UniqueFd connection_;
  StoreQueue& queue_;
  std::mutex in_mutex_;
  store_wire::Frames frames_;
  std::mutex tickets_mutex_;
  std::map<store_wire::Sequence, std::shared_ptr<CommitTicket>> tickets_;
  std::mutex out_mutex_;
  std::string out_;
  std::atomic<bool> begun_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> gone_{false};
  std::atomic<bool> reload_{false};
};

void MailSide::take_in() {
  const std::lock_guard lock(in_mutex_);
  std::array<char, 64 * 1024> octets;
  for (;;) {
    const ssize_t got = ::recv(connection_.get(), octets.data(), octets.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      gone_ = gone_ || got == 0 || errno != EAGAIN;
      break;
    }
    frames_.feed({octets.data(), static_cast<std::size_t>(got)});
    for (;;) {
      Expected<std::optional<store_wire::Message>> message = frames_.next();
      if (!message) {
        gone_ = true;
        return;
      }
      if (!*message) {
        break;
      }
      act(**std::move(message));
    }
  }
}

void MailSide::act(store_wire::Message message) {
  if (auto* put = std::get_if<store_wire::Put>(&message)) {
    auto ticket = std::make_shared<Ticket>(*this, put->sequence);
    {
      const std::lock_guard lock(tickets_mutex_);
      tickets_[put->sequence] = ticket;
    }
    push(PutCapture{std::move(put->capture)}, ticket);
  } else if (auto* confirm = std::get_if<store_wire::Confirm>(&message)) {
    std::shared_ptr<CommitTicket> of_put;
    {
      const std::lock_guard lock(tickets_mutex_);
      const auto known = tickets_.find(confirm->put);
      of_put = known == tickets_.end() ? nullptr : known->second;
    }
    if (of_put && queue_.make_final(*of_put)) {
      done(confirm->sequence, CommitResult::committed);  // it needs no operation of its own
    } else {
      push(std::move(confirm->confirmation), std::make_shared<Ticket>(*this, confirm->sequence));
    }
  } else if (auto* drop = std::get_if<store_wire::Drop>(&message)) {
    push(std::move(drop->drop), std::make_shared<Ticket>(*this, drop->sequence));
  } else if (const auto* hurry = std::get_if<store_wire::Hurry>(&message)) {
    std::shared_ptr<CommitTicket> ticket;
    {
      const std::lock_guard lock(tickets_mutex_);
      const auto known = tickets_.find(hurry->sequence);
      ticket = known == tickets_.end() ? nullptr : known->second;
    }
    if (ticket) {
      queue_.hurry(*ticket, hurry->company);
    }
  } else if (std::holds_alternative<store_wire::Begin>(message)) {
    begun_ = true;
  } else if (std::holds_alternative<store_wire::Reload>(message)) {
    reload_ = true;
  } else if (std::holds_alternative<store_wire::Stop>(message)) {
    stopping_ = true;
  }
}

void MailSide::push(StoreOperation operation, const std::shared_ptr<CommitTicket>& ticket) {
  if (!queue_.push(std::move(operation), ticket)) {
    ticket->complete(CommitResult::failed);
  }
}

void MailSide::done(store_wire::Sequence sequence, CommitResult result) {
  {
    const std::lock_guard lock(tickets_mutex_);
    tickets_.erase(sequence);
  }
  say_later(store_wire::Done{sequence, result});
}

void MailSide::say_later(const store_wire::Message& message) {
  const std::lock_guard lock(out_mutex_);
  store_wire::append_frame(out_, message);
}

void MailSide::say(const store_wire::Message& message) {
  const std::lock_guard lock(out_mutex_);
  store_wire::append_frame(out_, message);
  std::string_view rest = out_;
  while (!rest.empty()) {
    const ssize_t sent = ::send(connection_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent <= 0) {
      gone_ = true;
      break;
    }
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  out_.clear();
}

// AfterCaptures puts the earlier messages of the mail side into the queue before any log line. This
// order is right because the mail system logs nothing about a message before the milter has
// released it.
class AfterCaptures final : public LogSource {
 public:
  AfterCaptures(std::unique_ptr<LogSource> log, MailSide& mail)
      : log_(std::move(log)), mail_(mail) {}

  [[nodiscard]] std::optional<LogLines> warm_up() override { return log_->warm_up(); }
  [[nodiscard]] std::optional<LogLines> next(Clock::time_point now) override {
    std::optional<LogLines> lines = log_->next(now);
    if (lines) {
      mail_.take_in();
    }
    return lines;
  }
  [[nodiscard]] store::LogCursor cursor() const override { return log_->cursor(); }
  [[nodiscard]] std::string name() const override { return log_->name(); }
  int watch() override { return log_->watch(); }
  void woken() override { log_->woken(); }
  [[nodiscard]] std::chrono::milliseconds patience() const override { return log_->patience(); }

 private:
  std::unique_ptr<LogSource> log_;
  MailSide& mail_;
};

void set_aside(const std::string& path, std::string_view why) {
  const std::string name = store::set_store_aside(path);
  log::error("", {{"store", "damaged, set aside"},
                  {"path", path},
                  {"why", why},
                  {"kept", name.empty() ? "nothing" : name}});
}

// Decides whether the data are at fault when a process died of the store or could not open it, and
// then sets the store aside.
void repair(const std::string& path) {
  store::renew_lock_file(path);
  if (const std::string why = store::check_store_apart(path); !why.empty()) {
    set_aside(path, why);
  }
}

std::unique_ptr<StoreWriter> open_writer(const StoreSide& side,
                                         StoreQueue& queue,
                                         CircuitBreaker& breaker,
                                         OnwardStore& onward) {
  const auto open = [&] {
    return std::make_unique<StoreWriter>(side.config, queue, breaker, side.counters, &onward);
  };
  try {
    return open();
  } catch (const store::StoreUnusable& error) {
    if (error.exit_code() != exit_code::data_error) {
      throw;
    }
  }
  const std::string& path = side.config.store.path;
  repair(path);
  try {
    return open();
  } catch (const store::StoreUnusable& error) {
    if (error.exit_code() != exit_code::data_error) {
      throw;
    }
    set_aside(path, error.what());
  }
  return open();
}

// Returns the place where the log was followed before, or otherwise the best place.
const LogPlace& choose_log(const std::vector<LogPlace>& places, StoreWriter& writer) {
  const auto followed = std::find_if(places.begin(), places.end(), [&](const LogPlace& place) {
    return writer.cursor(place.name()).has_value();
  });
  return followed == places.end() ? places.front() : *followed;
}

// Returns the position at which following begins. It is determined and stored before any mail can
// be tracked, so that no line about such mail is missed, whenever this process is killed.
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

void reload_configuration(const StoreSide& side,
                          Config& running,
                          StoreWriter& writer,
                          OnwardService& onward) {
  if (const Expected<Config> loaded = side.reload()) {
    running.retention = loaded->retention;
    running.log.queue_lifetime = loaded->log.queue_lifetime;
    running.log.filters = loaded->log.filters;
    running.gate = loaded->gate;
    running.privacy.forwarding = loaded->privacy.forwarding;
    writer.reconfigure(running);
    onward.set_policy(pass_on_policy(running));
  }
}

// Serves until the mail side says stop. Returns false if the mail side is gone.
bool serve(const StoreSide& side,
           MailSide& mail,
           StoreWriter& writer,
           OnwardService& onward,
           LogHealth& health) {
  Config running = side.config;
  while (!mail.stopping() && !mail.gone()) {
    std::array<pollfd, 2> events{{{side.wake, POLLIN, 0}, {mail.fd(), 0, 0}}};
    ::poll(events.data(), events.size(),
           static_cast<int>(std::chrono::milliseconds(kLookAtConnection).count()));
    eventfd_t ignored = 0;
    ::eventfd_read(side.wake, &ignored);
    mail.take_in();
    if (mail.take_reload()) {
      reload_configuration(side, running, writer, onward);
    }
    if (const auto change = health.look(side.counters, LogHealth::Clock::now())) {
      side.counters.log_current = change->good ? 1 : 0;
      if (change->good) {
        log::notice("", {{"log", "is followed again"}});
      } else {
        log::warning("", {{"log", change->text}});
      }
      mail.say(store_wire::Status{change->good ? std::string() : "log: " + change->text});
    }
  }
  return !mail.gone();
}

// Waits until the mail side has sent everything it waits for. Returns false if the mail side is
// gone or wants to stop.
bool await_begin(const StoreSide& side, MailSide& mail) {
  while (!mail.begun() && !mail.gone()) {
    std::array<pollfd, 1> events{{{mail.fd(), POLLIN, 0}}};
    ::poll(events.data(), events.size(), -1);
    mail.take_in();
    count(side.counters.writer_beats);
  }
  return mail.begun();
}

int serve_store(const StoreSide& side, UniqueFd connection) {
  StoreQueue queue(kStoreQueued, kStoreQueuedLog);
  MailSide mail(std::move(connection), queue);
  CircuitBreaker breaker;  // this one is only fed; the one that counts is in the mail side
  OnwardStore onward_store;
  const std::unique_ptr<StoreWriter> writer = open_writer(side, queue, breaker, onward_store);
  writer->on_batch([&mail](bool committed, std::chrono::nanoseconds took) {
    mail.say(store_wire::Batch{committed, took});
  });
  writer->on_damage([](std::string_view why) {
    log::error("", {{"store", "damaged"}, {"error", why}});
    ::_exit(exit_code::data_error);
  });
  const LogPlace& place = choose_log(side.places, *writer);
  const store::LogCursor position = start_position(place, side.config, *writer, side.counters);
  LogFollower follower(
      [&] {
        return std::make_unique<AfterCaptures>(
            open_log(place, side.config.log, position, side.counters), mail);
      },
      queue, side.counters);
  QueueWatcher queue_watcher(side.config, follower, queue, side.counters);
  LogHealth health(LogHealth::Clock::now());
  // Nobody asks this service if no mail leaves through mtrk-gate.
  OnwardService onward(
      side.config.gate.outbound.listen.empty() ? "" : gate_socket_path(side.config),
      pass_on_policy(side.config), onward_store);

  mail.say(store_wire::Ready{place.name()});
  if (!await_begin(side, mail)) {
    return exit_code::ok;
  }
  writer->start();
  follower.start();
  queue_watcher.start();
  onward.start();
  if (!serve(side, mail, *writer, onward, health)) {
    ::_exit(exit_code::ok);  // nobody is left to report to; what is not committed is read again
  }
  onward.stop();
  queue_watcher.request_stop();
  follower.request_stop();
  queue.close();
  queue_watcher.join();
  follower.join();
  writer->join();
  return exit_code::ok;
}

}  // namespace

int run_store_side(const StoreSide& side, UniqueFd connection, StoreKeeper::Start start) {
  const std::string& path = side.config.store.path;
  try {
    if (start.hopeless) {
      set_aside(path, "found damaged again and again");
    } else if (start.careful) {
      repair(path);
    } else if (start.fresh_lock) {
      store::renew_lock_file(path);
    }
    return serve_store(side, std::move(connection));
  } catch (const store::StoreUnusable& error) {
    if (!start.quiet) {
      log::error("", {{"store", "unusable"}, {"error", error.what()}});
    }
    return error.exit_code();
  } catch (const std::system_error& error) {
    if (!start.quiet) {
      log::error("", {{"store", "unusable"}, {"error", error.what()}});
    }
    const int code = error.code().value();
    return code == ENOSPC || code == EDQUOT ? exit_code::cant_create : exit_code::unavailable;
  }
}

}  // namespace mtrk

#include "milter/writer/writer.h"

#include "common/base/exit_code.h"
#include "common/base/host_name.h"
#include "common/base/log.h"
#include "common/store/store_error.h"

#include <sys/stat.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace mtrk {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxBatch = 512;             // operations in a transaction
constexpr std::size_t kMaxBatchLog = 1024 * 1024;  // octets of log lines in a transaction
constexpr std::size_t kSweepSlice = 1000;          // rows in a transaction
constexpr auto kPositionEvery = 1s;
constexpr auto kSweepEvery = 5s;
constexpr auto kSweepAgain = 100ms;  // while there is more; so at most a tenth of the time
constexpr auto kReadersEvery = 5s;
constexpr auto kCountersEvery = 5s;
constexpr auto kFirstPause = 100ms;  // after a failure; it doubles
constexpr auto kLongestPause = 5s;
constexpr int kFailuresToReopen = 3;

TimePoint wall_clock() {
  return std::chrono::floor<Seconds>(std::chrono::system_clock::now());
}

store::WriterOptions writer_options(const Config& config) {
  store::WriterOptions options;
  options.path = config.store.path;
  options.max_size = config.store.max_size;
  options.default_retention = config.retention.default_;
  options.maximum_retention = config.retention.maximum;
  options.trace.queue_lifetime = config.log.queue_lifetime;
  options.trace.filters = config.log.filters;
  options.trace.gates = config.gate.outbound.listen;
  options.host = system_host_name();
  options.grow_ahead = true;
  return options;
}

// Returns when the file was last written, to be asked before this process opens it.
std::optional<ClockGuard::Wall> last_written(const std::string& path) {
  struct stat status {};
  if (::stat((path + "/data.mdb").c_str(), &status) != 0 || status.st_size == 0) {
    return std::nullopt;
  }
  return std::chrono::system_clock::from_time_t(status.st_mtime);
}

std::size_t log_octets(const StoreQueue::Item& item) {
  const LogLines* lines = std::get_if<LogLines>(&item.operation);
  return lines == nullptr ? 0 : lines->lines.size();
}

}  // namespace

StoreWriter::StoreWriter(const Config& config,
                         StoreQueue& queue,
                         CircuitBreaker& breaker,
                         Counters& counters,
                         OnwardStore* onward)
    : queue_(queue),
      breaker_(breaker),
      counters_(counters),
      onward_(onward),
      config_(config),
      log_(config.log.mta, counters),
      clock_guard_(last_written(config.store.path)) {
  open_store();
  const Clock::time_point now = Clock::now();
  position_due_ = next_sweep_ = next_reader_check_ = next_counters_ = now;
}

StoreWriter::~StoreWriter() {
  queue_.close();
  join();
  close_store();
}

std::optional<store::LogCursor> StoreWriter::cursor(std::string_view source) {
  return store_->cursor(source);
}

void StoreWriter::put_cursor(std::string_view source, const store::LogCursor& cursor) {
  store_->begin();
  store_->put_cursor(source, cursor);
  store_->commit();
}

void StoreWriter::start() {
  thread_ = std::thread([this] { run(); });
}

void StoreWriter::reconfigure(const Config& config) {
  const std::lock_guard lock(configuration_mutex_);
  new_configuration_ = config;
}

void StoreWriter::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

void StoreWriter::open_store() {
  // The store makes its own copy of the filters.
  store_ =
      std::make_unique<store::TrackingWriter>(writer_options(config_), store::Create::if_missing);
  if (onward_ != nullptr) {
    onward_->open(config_.store.path);
  }
}

// Readers go first, because a process has one environment, and the last to leave closes it.
void StoreWriter::close_store() {
  if (onward_ != nullptr) {
    onward_->close();
  }
  store_.reset();
}

// Nothing may end this thread while mail flows. Whatever happens is counted, and the work goes on.
void StoreWriter::run() noexcept {
  for (;;) {
    try {
      work();
      publish_counters();
      return;
    } catch (const std::exception& error) {
      count(counters_.exceptions);
      log::error("", {{"store", "writer"}, {"error", error.what()}});
    } catch (...) {
      count(counters_.exceptions);
    }
    if (store_ && store_->in_batch()) {
      store_->abort();
    }
    std::this_thread::sleep_for(kFirstPause);
  }
}

void StoreWriter::work() {
  for (;;) {
    count(counters_.writer_beats);
    adopt_configuration();
    if (pending_.empty()) {
      take(next_deadline());
    }
    if (!process_batch() && queue_.closed()) {
      // The milter is stopping and the store refuses the batch. The lines are read again at the
      // next start.
      if (failures_ > kFailuresToReopen + 1) {
        return;
      }
    } else if (queue_.closed() && pending_.empty()) {
      take(Clock::now());
      if (pending_.empty() && !position_) {
        return;
      }
      position_due_ = Clock::now();
    }
    housekeep();
  }
}

void StoreWriter::take(Clock::time_point deadline) {
  for (StoreQueue::Item& item : queue_.take(kMaxBatch, deadline)) {
    pending_.push_back(std::move(item));
  }
}

StoreWriter::Clock::time_point StoreWriter::next_deadline() const {
  Clock::time_point next = std::min({next_sweep_, next_reader_check_, next_counters_});
  if (position_) {
    next = std::min(next, position_due_);
  }
  return next;
}

// Makes one transaction of what is pending. Returns false if it failed.
bool StoreWriter::process_batch() {
  const bool position_only = pending_.empty() && position_ && Clock::now() >= position_due_;
  if (pending_.empty() && !position_only) {
    return true;
  }
  batch_size_ = pending_.size();
  batch_ = {};
  try {
    if (!store_) {
      open_store();
      count(counters_.reopened);
      log_.replay(*store_);
    }
    const Clock::time_point started = Clock::now();
    store_->begin();
    apply_batch();
    std::optional<Position>& position = batch_.position ? batch_.position : position_;
    const bool write_position = position && (store_->dirty() || started >= position_due_);
    const bool wrote = write_position || store_->dirty();
    if (write_position) {
      store_->put_cursor(position->source, position->cursor);
    }
    store_->commit();  // without changes this costs no fsync
    if (write_position) {
      position_.reset();
      position_due_ = Clock::now() + kPositionEvery;
    } else if (batch_.position) {
      position_ = std::move(batch_.position);
    }
    complete_batch(Clock::now() - started, wrote);
    return true;
  } catch (const store::StoreGone&) {
    replaced();
    return false;
  } catch (const store::StoreError& error) {
    if (on_damage_ && store::is_damage(error)) {
      on_damage_(error.what());
    }
    fail_batch(error.what());
    return false;
  } catch (const store::StoreUnusable& error) {
    if (on_damage_ && error.exit_code() == exit_code::data_error) {
      on_damage_(error.what());
    }
    fail_batch(error.what());
    return false;
  } catch (const std::exception& error) {
    fail_batch(error.what());
    return false;
  }
}

void StoreWriter::apply_batch() {
  std::size_t octets = 0;
  batch_size_ = 0;
  for (StoreQueue::Item& item : pending_) {
    octets += log_octets(item);
    if (batch_size_ > 0 && octets > kMaxBatchLog) {
      break;
    }
    ++batch_size_;
    if (const PutCapture* put = std::get_if<PutCapture>(&item.operation)) {
      const store::Kept kept = store_->put_capture(put->capture);
      if (kept != store::Kept::stored) {
        count(kept == store::Kept::store_full ? counters_.shed : counters_.merge_limit);
        if (item.ticket) {
          item.ticket->complete(CommitResult::failed);
        }
      }
    } else if (const ConfirmCapture* confirm = std::get_if<ConfirmCapture>(&item.operation)) {
      store_->confirm_capture(confirm->queue_id, confirm->ticket);
    } else if (const DropCapture* drop = std::get_if<DropCapture>(&item.operation)) {
      store_->drop_capture(drop->queue_id, drop->ticket);
    } else if (const store::QueueReport* report =
                   std::get_if<store::QueueReport>(&item.operation)) {
      const store::Reconciled result = store_->reconcile(*report);
      counters_.queue_tracked = result.listed;
      count(counters_.queue_vanished, result.vanished);
    } else {
      const LogLines& lines = std::get<LogLines>(item.operation);
      batch_.tally += log_.apply(lines, *store_);
      if (!lines.warm_up) {
        batch_.position = Position{lines.source, lines.cursor};
      }
    }
  }
}

void StoreWriter::complete_batch(Clock::duration took, bool wrote) {
  failures_ = 0;
  batch_.tally.count_in(counters_);
  if (batch_.tally.newest && (!newest_line_ || *newest_line_ < *batch_.tally.newest)) {
    newest_line_ = batch_.tally.newest;
  }
  if (wrote) {
    count(counters_.commits);
    breaker_.committed(Clock::now(), took);
  }
  for (std::size_t i = 0; i < batch_size_; ++i) {
    StoreQueue::Item& item = pending_.front();
    if (item.ticket) {
      item.ticket->complete(CommitResult::committed);
    }
    if (LogLines* const lines = std::get_if<LogLines>(&item.operation)) {
      log_.remember(std::move(*lines));
    }
    pending_.pop_front();
  }
  if (on_batch_) {
    on_batch_(true, wrote ? took : Clock::duration(0));
  }
}

// Nothing of the batch is in the store that is there now, so all of it is tried again there.
void StoreWriter::replaced() {
  if (++failures_ > kFailuresToReopen) {
    fail_batch("the store is replaced again and again");
    return;
  }
  log::warning("", {{"store", "replaced"}, {"action", "opened anew"}});
  close_store();
}

// Ends a batch that failed: its captures are lost, and its log lines stay for the next try.
void StoreWriter::fail_batch(std::string_view why) {
  if (store_) {
    store_->abort();
  }
  count(counters_.commit_failures);
  breaker_.commit_failed();
  ++failures_;
  log::error("", {{"store", "commit-failed"}, {"error", why}});
  std::deque<StoreQueue::Item> kept;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    StoreQueue::Item& item = pending_[i];
    if (std::holds_alternative<LogLines>(item.operation) || i >= batch_size_) {
      kept.push_back(std::move(item));
      continue;
    }
    if (std::holds_alternative<PutCapture>(item.operation)) {
      count(counters_.shed);
    }
    if (item.ticket) {
      item.ticket->complete(CommitResult::failed);
    }
  }
  pending_ = std::move(kept);
  if (on_batch_) {
    on_batch_(false, Clock::duration(0));
  }
  if (failures_ % kFailuresToReopen == 0) {
    close_store();  // the next batch opens it again
  } else if (store_) {
    log_.replay(*store_);
  }
  const auto pause =
      std::min<Clock::duration>(kLongestPause, kFirstPause * (1 << std::min(failures_ - 1, 6)));
  const Clock::time_point until = Clock::now() + pause;
  while (Clock::now() < until && !queue_.closed()) {
    std::this_thread::sleep_for(std::min<Clock::duration>(kFirstPause, pause));
  }
}

void StoreWriter::housekeep() {
  const Clock::time_point now = Clock::now();
  if (now >= next_counters_) {
    next_counters_ = now + kCountersEvery;
    publish_counters();
  }
  if (!store_) {
    next_sweep_ = next_reader_check_ = now + kSweepEvery;
    return;
  }
  if (now >= next_reader_check_) {
    next_reader_check_ = now + kReadersEvery;
    store_->check_readers();
  }
  if (now < next_sweep_) {
    return;
  }
  next_sweep_ = now + kSweepEvery;
  if (!clock_guard_.trusts(std::chrono::system_clock::now(), now, newest_line_)) {
    return;
  }
  std::size_t removed = 0;
  try {
    store_->begin();
    removed = store_->sweep(wall_clock(), kSweepSlice);
    store_->commit();
  } catch (const store::StoreGone&) {
    replaced();
    return;
  } catch (const store::StoreError& error) {
    if (on_damage_ && store::is_damage(error)) {
      on_damage_(error.what());
    }
    throw;
  }
  count(counters_.expired, removed);
  if (removed > 0) {
    next_sweep_ = now + kSweepAgain;
  }
}

void StoreWriter::publish_counters() {
  std::string text = format_counters(counters_);
  if (text != published_ && write_counters_file(counters_path(config_.store.path), text)) {
    published_ = std::move(text);
  }
}

void StoreWriter::adopt_configuration() {
  std::optional<Config> config;
  {
    const std::lock_guard lock(configuration_mutex_);
    config = std::exchange(new_configuration_, std::nullopt);
  }
  if (!config) {
    return;
  }
  config_.retention = config->retention;
  config_.log.queue_lifetime = config->log.queue_lifetime;
  config_.log.filters = config->log.filters;
  config_.gate = config->gate;
  close_store();  // a process has one environment, so the old one is closed first
  open_store();
  log_.replay(*store_);
}

}  // namespace mtrk

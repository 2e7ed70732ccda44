#include "milter/log/file_source.h"

#include "common/base/log.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>

namespace mtrk {
namespace {

constexpr std::size_t kManyGenerations = 1000;
constexpr std::chrono::milliseconds kSettling{50};

bool is_nowhere(const store::LogCursor& cursor) {
  return cursor.device == 0 && cursor.inode == 0;
}

}  // namespace

FileLogSource::FileLogSource(std::string path,
                             const std::optional<store::LogCursor>& resume,
                             Counters& counters)
    : path_(std::move(path)), counters_(counters) {
  if (resume) {
    resume_at(*resume);
  } else {
    begin_at_end();
  }
  began_ = true;
}

std::optional<LogLines> FileLogSource::next(Clock::time_point now) {
  adopt_current();
  if (files_.empty()) {
    return std::nullopt;
  }
  std::optional<LogLines> lines = take_lines(files_.front().file);
  if (!lines && files_.front().file.overwritten()) {
    start_over();
    lines = take_lines(files_.front().file);
  }
  if (!lines && left_ && left_->has_more()) {
    lines = take_lines(*left_);
  }
  if (lines) {
    files_.front().quiet_since.reset();
    return lines;
  }
  if (files_.size() == 1 || !finished(files_.front(), now)) {
    return std::nullopt;
  }
  leave_front();
  return make_lines(files_.front().file, {});
}

std::optional<LogLines> FileLogSource::warm_up() {
  if (files_.empty()) {
    return std::nullopt;
  }
  const LogFile& file = files_.front().file;
  std::string lines = file.before_position(kWarmUp);
  // If the log was rotated lately, the rest is at the end of the generations before.
  const std::vector<LogSibling> siblings = log_siblings(path_);
  const auto same = std::find_if(siblings.rbegin(), siblings.rend(),
                                 [&](const LogSibling& s) { return s.id == file.id(); });
  for (auto before = same == siblings.rend() ? siblings.rbegin() : std::next(same);
       before != siblings.rend() && !before->compressed && lines.size() < kWarmUp; ++before) {
    std::optional<LogFile> older = open(before->path);
    if (!older || older->id() != before->id) {
      break;
    }
    older->skip_to_end();
    lines.insert(0, older->before_position(kWarmUp - lines.size()));
  }
  if (lines.empty()) {
    return std::nullopt;
  }
  LogLines result = make_lines(file, std::move(lines));
  result.warm_up = true;
  return result;
}

store::LogCursor FileLogSource::cursor() const {
  return files_.empty() ? store::LogCursor() : files_.front().file.cursor();
}

int FileLogSource::watch() {
  if (!watch_) {
    watch_.emplace(path_);
  }
  if (!files_.empty()) {
    watch_->follow(files_.back().file.fd(), files_.back().file.id());
  }
  return watch_->fd();
}

void FileLogSource::woken() {
  if (watch_) {
    watch_->drain();
  }
}

std::chrono::milliseconds FileLogSource::patience() const {
  return settling() ? kSettling : kPoll;
}

void FileLogSource::begin_at_end() {
  const std::vector<LogSibling> siblings = log_siblings(path_);
  for (const LogSibling& sibling : siblings) {
    know(sibling);
  }
  adopt_current();
  const auto youngest = std::find_if(siblings.rbegin(), siblings.rend(),
                                     [](const LogSibling& s) { return !s.compressed; });
  if (files_.empty() && youngest != siblings.rend() && push_sibling(*youngest)) {
    files_.back().closed = false;  // its writer may still be waiting for a signal
  }
  if (!files_.empty()) {
    files_.front().file.skip_to_end();
  }
}

void FileLogSource::resume_at(const store::LogCursor& cursor) {
  const std::vector<LogSibling> siblings = log_siblings(path_);
  const FileId wanted{cursor.device, cursor.inode};

  adopt_current();
  if (!files_.empty() && (files_.front().file.id() == wanted || cursor.head_octets > 0) &&
      files_.front().file.resume(cursor)) {
    for (const LogSibling& sibling : siblings) {
      know(sibling);
    }
    return;
  }
  // The log was rotated meanwhile. The file is looked for by its identity first, and then by its
  // content (copytruncate, moved across file systems).
  std::optional<LogFile> file;
  auto found = std::find_if(siblings.begin(), siblings.end(), [&](const LogSibling& sibling) {
    file = sibling.id == wanted ? open(sibling.path) : std::nullopt;
    return file && file->resume(cursor);
  });
  if (found == siblings.end()) {
    found = std::find_if(siblings.begin(), siblings.end(), [&](const LogSibling& sibling) {
      file = open_at(sibling, cursor);
      return file.has_value();
    });
  }
  // If the file itself is compressed or gone, what is newer than the newest compressed one was
  // never read.
  auto unread = found;
  if (found == siblings.end()) {
    const auto compressed =
        std::find_if(siblings.rbegin(), siblings.rend(),
                     [](const LogSibling& sibling) { return sibling.compressed; });
    unread = compressed == siblings.rend() ? siblings.end() : compressed.base();
    if (is_nowhere(cursor)) {
      unread = compressed.base();
    } else {
      gap("the log file of the last position is gone");
    }
  }
  std::deque<Queued> current;
  current.swap(files_);
  for (auto sibling = siblings.begin(); sibling != siblings.end(); ++sibling) {
    know(*sibling);
    if (sibling == found) {
      files_.push_back({*std::move(file), true});
    } else if (sibling > unread || (sibling == unread && found == siblings.end())) {
      if (sibling->compressed) {
        gap("a rotated log file was compressed before it was read");
      } else if (!push_sibling(*sibling)) {
        gap("a rotated log file cannot be read");
      }
    }
  }
  // A logger that has not reopened its file may still write to the newest rotated one.
  if (!files_.empty() && !current.empty()) {
    files_.back().closed = false;
  }
  std::move(current.begin(), current.end(), std::back_inserter(files_));
  if (!files_.empty()) {
    files_.front().file.learn_head();
  }
}

// Looks whether the path leads to another file than before, and queues that file.
void FileLogSource::adopt_current() {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) {
    counters_.log_unreadable = files_.empty() ? 1 : 0;
    if (files_.empty() && !missing_logged_) {
      missing_logged_ = true;
      log::warning("", {{"log", path_}, {"state", "waiting for the file"}});
    }
    return;
  }
  const FileId seen{status.st_dev, status.st_ino};
  if (!files_.empty() && files_.back().file.id() == seen) {
    counters_.log_unreadable = 0;
    return;
  }
  std::optional<LogFile> file = open(path_);
  counters_.log_unreadable = file ? 0 : 1;
  if (!file || (!files_.empty() && files_.back().file.id() == file->id())) {
    return;
  }
  missing_logged_ = false;
  if (began_) {
    adopt_generations(file->id());
  }
  files_.push_back({*std::move(file)});
}

// Queues generations that came and went between two looks.
void FileLogSource::adopt_generations(const FileId& current) {
  constexpr int kTries = 3;  // they may be renamed while we look
  bool settled = false;
  for (int i = 0; i < kTries && !settled; ++i) {
    settled = true;
    std::set<Generation> present;
    for (const LogSibling& sibling : log_siblings(path_)) {
      const Generation generation{sibling.id, sibling.born_ns};
      const bool fresh = !sibling.compressed && sibling.id != current && !is_queued(sibling.id) &&
                         !known_.contains(generation);
      if (!fresh || push_sibling(sibling)) {
        present.insert(generation);
      } else {
        settled = false;
      }
    }
    const bool ambiguous = std::any_of(known_.begin(), known_.end(),
                                       [](const Generation& known) { return known.second == 0; });
    if (ambiguous || known_.size() > kManyGenerations) {
      known_.clear();  // forgets those that are gone, because their inodes are used again
    }
    known_.merge(present);
  }
  if (!settled) {
    gap("a rotated log file cannot be read");
  }
  if (!files_.empty()) {
    files_.back().closed = false;  // its writer may not have noticed the rotation yet
  }
}

bool FileLogSource::is_queued(const FileId& id) const {
  return (left_ && left_->id() == id) ||
         std::any_of(files_.begin(), files_.end(),
                     [&](const Queued& queued) { return queued.file.id() == id; });
}

std::optional<LogFile> FileLogSource::open(const std::string& path) {
  std::optional<LogFile> file = LogFile::open(path);
  if (!file && errno != ENOENT && !missing_logged_) {
    missing_logged_ = true;
    log::error("", {{"log", path}, {"error", std::system_category().message(errno)}});
  }
  return file;
}

// Returns the sibling if its content shows that it is the file of that position.
std::optional<LogFile> FileLogSource::open_at(const LogSibling& sibling,
                                              const store::LogCursor& cursor) {
  if (sibling.compressed || sibling.size < cursor.offset || cursor.head_octets == 0) {
    return std::nullopt;
  }
  std::optional<LogFile> file = open(sibling.path);
  return file && file->resume(cursor) ? std::move(file) : std::nullopt;
}

// Returns false if the sibling cannot be opened, or is another file by now.
bool FileLogSource::push_sibling(const LogSibling& sibling) {
  std::optional<LogFile> file = open(sibling.path);
  if (!file || file->id() != sibling.id) {
    return false;
  }
  files_.push_back({*std::move(file), true});
  return true;
}

std::optional<LogLines> FileLogSource::take_lines(LogFile& file) {
  std::uint64_t too_long = 0;
  std::optional<std::string> lines = file.take_lines(too_long);
  count(counters_.truncated, too_long);
  return lines ? std::optional(make_lines(file, *std::move(lines))) : std::nullopt;
}

// Reads the file from its start, because it does not hold any more what it held.
void FileLogSource::start_over() {
  gap("the log file was truncated or overwritten");
  LogFile& file = files_.front().file;
  const store::LogCursor before = file.cursor();
  file.rewind();
  // If the file was copied before it was truncated, the copy may hold what was not read yet.
  const std::vector<LogSibling> siblings = log_siblings(path_);
  for (auto sibling = siblings.rbegin(); sibling != siblings.rend(); ++sibling) {
    if (sibling->id == file.id()) {
      continue;
    }
    if (std::optional<LogFile> copy = open_at(*sibling, before)) {
      know(*sibling);
      files_.push_front({*std::move(copy), true});
      return;
    }
  }
}

bool FileLogSource::finished(Queued& queued, Clock::time_point now) const {
  if (queued.closed) {
    return true;
  }
  if (!queued.quiet_since) {
    queued.quiet_since = now;
  }
  const Clock::duration quiet = now - *queued.quiet_since;
  return quiet >= kGrace || (quiet >= kShortGrace && files_[1].file.size() > 0);
}

void FileLogSource::leave_front() {
  if (left_ && left_->has_more()) {
    count(counters_.truncated);  // half a line that will not be completed
  }
  left_.reset();
  if (!files_.front().closed) {
    left_ = std::move(files_.front().file);
  } else if (files_.front().file.has_more()) {
    count(counters_.truncated);
  }
  files_.pop_front();
  files_.front().file.learn_head();
}

// The position is that of the file that is read; late lines of the file before do not move it.
LogLines FileLogSource::make_lines(const LogFile& file, std::string lines) const {
  LogLines result;
  result.source = name();
  result.lines = std::move(lines);
  result.cursor = files_.front().file.cursor();
  result.reference = file.modified();
  return result;
}

void FileLogSource::gap(std::string_view why) {
  count(counters_.gaps);
  log::warning("", {{"log", path_}, {"gap", why}});
}

}  // namespace mtrk

#include "milter/ctl/find/log_set.h"

#include "common/base/local_offset.h"
#include "milter/ctl/log_reader.h"
#include "milter/ctl/log_years.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <exception>
#include <limits>
#include <thread>
#include <utility>

namespace mtrk::find {
namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;       // octets of a file that a thread takes
constexpr std::size_t kTail = std::size_t{4} << 10;          // more octets for the end of a line
constexpr std::size_t kSequential = std::size_t{512} << 10;  // octets of a block of the other logs
constexpr std::size_t kBeginning = std::size_t{64} << 10;
constexpr unsigned kMostWorkers = 8;

std::size_t read_at(
    int fd, std::uint64_t offset, char* to, std::size_t wanted, const std::string& path) {
  std::size_t got = 0;
  while (got < wanted) {
    const ssize_t n = ::pread(fd, to + got, wanted - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), path);
    }
    if (n == 0) {
      break;
    }
    got += n < 0 ? 0 : static_cast<std::size_t>(n);
  }
  return got;
}

}  // namespace

// A Sequence is a log that can be read only from front to back.
class Log::Sequence {
 public:
  Sequence(int fd, std::string path, Config::Log config)
      : fd_(fd), path_(std::move(path)), config_(std::move(config)) {
    rewind();
  }

  void rewind() {
    rest_.clear();
    offset_ = 0;
    if (fd_ < 0) {
      reader_.emplace(path_, config_);
      return;
    }
    if (::lseek(fd_, 0, SEEK_SET) < 0) {
      throw std::system_error(errno, std::generic_category(), path_);
    }
    octets_ = open_octets(fd_, path_);
  }

  std::mutex& mutex() { return mutex_; }  // protects the members below

  [[nodiscard]] bool next(Block& block, std::uint64_t& offset) {
    offset = offset_;
    if (reader_) {
      if (!reader_->next(entries_)) {
        return false;
      }
      block.buffer.assign(entries_.lines().begin(), entries_.lines().end());
    } else if (!fill(block.buffer)) {
      return false;
    }
    block.lines = std::string_view(block.buffer.data(), block.buffer.size());
    offset_ += block.buffer.size();
    return true;
  }
  [[nodiscard]] bool compressed() const {
    return octets_ && octets_->compression() != Compression::none;
  }
  [[nodiscard]] std::string complaint() const { return octets_ ? octets_->complaint() : ""; }
  [[nodiscard]] std::uint64_t taken() const { return octets_ ? octets_->taken() : 0; }

 private:
  // Fills `buffer` with whole lines and keeps the beginning of the last one, if it is incomplete.
  bool fill(std::vector<char>& buffer) {
    buffer.assign(rest_.begin(), rest_.end());
    rest_.clear();
    std::size_t size = buffer.size();
    buffer.resize(size + kSequential);
    for (;;) {
      const std::size_t n = octets_->read(buffer.data() + size, buffer.size() - size);
      size += n;
      if (n == 0) {
        buffer.resize(size);
        return size > 0;
      }
      if (size == buffer.size()) {
        const void* const feed = ::memrchr(buffer.data(), '\n', size);
        if (feed != nullptr || size > 2 * kSequential) {
          const std::size_t whole =
              feed == nullptr
                  ? size
                  : static_cast<std::size_t>(static_cast<const char*>(feed) - buffer.data()) + 1;
          rest_.assign(buffer.data() + whole, size - whole);
          buffer.resize(whole);
          return true;
        }
        buffer.resize(size + kSequential);
      }
    }
  }

  int fd_;  // -1 for the journal
  std::string path_;
  Config::Log config_;
  std::mutex mutex_;
  std::unique_ptr<OctetSource> octets_;
  std::optional<LogReader> reader_;
  LogBlock entries_;
  std::string rest_;
  std::uint64_t offset_ = 0;
};

Log::Log(std::size_t number, const std::string& path, const Config::Log& config)
    : number_(number), path_(path), written_(Seconds(std::time(nullptr))) {
  const std::optional<LogPlace> place = parse_log_place(path);
  if (place && place->kind == LogPlace::Kind::journal) {
    sequence_ = std::make_unique<Sequence>(-1, path, config);
    years_ = {{}};
    years_[0].reference = written_;
    return;
  }
  if (path == "-") {
    path_ = "standard input";
    fd_ = UniqueFd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
  } else {
    fd_ = UniqueFd(
        ::open(place ? place->path.c_str() : path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  }
  struct stat status {};
  if (!fd_ || ::fstat(fd_.get(), &status) != 0) {
    throw CannotOpen(errno, std::generic_category(), path_);
  }
  if (S_ISDIR(status.st_mode)) {
    throw CannotOpen(EISDIR, std::generic_category(), path_);
  }
  if (S_ISREG(status.st_mode)) {
    written_ = TimePoint(Seconds(status.st_mtime));
  } else {
    std::string complaint;
    const int pipe = fd_.get();
    // Raw returns the octets as they come; compressed data stay compressed.
    class Raw final : public OctetSource {
     public:
      explicit Raw(int fd) : fd_(fd) {}
      std::size_t read(char* to, std::size_t room) override {
        ssize_t n = 0;
        do {
          n = ::read(fd_, to, room);
        } while (n < 0 && errno == EINTR);
        if (n < 0) {
          throw std::system_error(errno, std::generic_category(), "standard input");
        }
        return static_cast<std::size_t>(n);
      }
      [[nodiscard]] std::uint64_t taken() const override { return 0; }

     private:
      int fd_;
    } raw(pipe);
    fd_ = spool(raw, complaint);
    if (::fstat(fd_.get(), &status) != 0) {
      throw std::system_error(errno, std::generic_category(), path_);
    }
  }
  octets_ = static_cast<std::uint64_t>(status.st_size);
  auto sequence = std::make_unique<Sequence>(fd_.get(), path_, config);
  if (sequence->compressed()) {
    Block first;
    std::uint64_t offset = 0;
    static_cast<void>(sequence->next(first, offset));
    beginning_ = first.lines.substr(0, kBeginning);
    years_ = years_of_lines(first.lines, written_);
    years_.back().end = std::numeric_limits<std::uint64_t>::max();
    sequence_ = std::move(sequence);
    sequence_->rewind();
    return;
  }
  ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  beginning_.resize(kBeginning);
  beginning_.resize(read_at(fd_.get(), 0, beginning_.data(), beginning_.size(), path_));
  years_ = years_of_file(fd_.get(), octets_, written_);
}

Log::~Log() = default;

void Log::rewind() {
  position_ = 0;
  done_ = 0;
  if (sequence_) {
    sequence_->rewind();
  }
}

maillog::StampContext Log::stamps(std::uint64_t offset) const {
  const TimePoint reference = maillog::stretch_at(years_, offset).reference;
  return {reference, local_offsets(reference)};
}

std::string Log::complaint() const {
  return sequence_ ? sequence_->complaint() : "";
}

Log::Next Log::next(Block& block, bool wait) {
  block.log = number_;
  if (!sequence_) {
    return next_piece(block) ? Next::block : Next::end;
  }
  std::unique_lock lock(sequence_->mutex(), std::defer_lock);
  if (wait) {
    lock.lock();
  } else if (!lock.try_lock()) {
    return Next::busy;
  }
  std::uint64_t offset = 0;
  if (!sequence_->next(block, offset)) {
    return Next::end;
  }
  done_ = sequence_->taken();
  block.place = static_cast<Place>(number_) << kOffsetBits | offset;
  return Next::block;
}

// Returns the lines that begin in the next kPiece octets of the file.
bool Log::next_piece(Block& block) {
  const std::uint64_t begin = position_.fetch_add(kPiece);
  if (begin >= octets_) {
    return false;
  }
  const std::uint64_t before = begin == 0 ? 0 : 1;  // octets that show whether a line begins there
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(kPiece + kTail, octets_ - begin) + before);
  if (block.buffer.size() < wanted) {
    block.buffer.resize(wanted);
  }
  std::size_t size = read_at(fd_.get(), begin - before, block.buffer.data(), wanted, path_);
  std::size_t first = 0;
  if (before == 1) {
    const void* const feed = size == 0 ? nullptr : std::memchr(block.buffer.data(), '\n', size);
    first =
        feed == nullptr
            ? size
            : static_cast<std::size_t>(static_cast<const char*>(feed) - block.buffer.data()) + 1;
  }
  block.lines = {};
  block.place = (static_cast<Place>(number_) << kOffsetBits) + begin - before + first;
  done_ += std::min<std::uint64_t>(kPiece, octets_ - begin);
  if (first >= kPiece + before || first >= size) {  // the piece is within a line of another piece
    return true;
  }
  // The last line that begins in this piece ends at the first line feed at or after its last octet.
  std::size_t from = std::min<std::size_t>(kPiece + before, size) - 1;
  for (;;) {
    const void* const feed = std::memchr(block.buffer.data() + from, '\n', size - from);
    if (feed != nullptr) {
      size = static_cast<std::size_t>(static_cast<const char*>(feed) - block.buffer.data()) + 1;
      break;
    }
    const std::uint64_t next = begin - before + size;
    if (next >= octets_ || size - from > LogReader::kLongestLine) {
      break;
    }
    from = size;
    const auto more =
        static_cast<std::size_t>(std::min<std::uint64_t>(LogReader::kLongestLine, octets_ - next));
    block.buffer.resize(std::max(block.buffer.size(), size + more));
    const std::size_t got = read_at(fd_.get(), next, block.buffer.data() + size, more, path_);
    if (got == 0) {
      break;
    }
    size += got;
  }
  block.lines = std::string_view(block.buffer.data() + first, size - first);
  return true;
}

LogSet::LogSet(const std::vector<std::string>& paths, const Config::Log& config)
    : workers_(std::clamp(std::thread::hardware_concurrency(), 1U, kMostWorkers)) {
  for (const std::string& path : paths) {
    logs_.push_back(std::make_unique<Log>(logs_.size(), path, config));
  }
}

std::uint64_t LogSet::octets() const {
  std::uint64_t sum = 0;
  for (const std::unique_ptr<Log>& log : logs_) {
    sum += log->octets();
  }
  return sum;
}

std::uint64_t Log::octets_of_text() const {
  constexpr std::uint64_t kUsual = 12;  // how many times smaller a compressed log usually is
  constexpr std::uint64_t kJournal = std::uint64_t{1} << 30;
  if (!sequence_) {
    return octets_;
  }
  return octets_ == 0 ? kJournal : kUsual * octets_;
}

std::uint64_t LogSet::octets_of_text() const {
  std::uint64_t sum = 0;
  for (const std::unique_ptr<Log>& log : logs_) {
    sum += log->octets_of_text();
  }
  return sum;
}

bool LogSet::next(Block& block) {
  Log* busy = nullptr;
  for (const std::unique_ptr<Log>& log : logs_) {
    switch (log->next(block, false)) {
      case Log::Next::block:
        return true;
      case Log::Next::busy:
        busy = busy == nullptr ? log.get() : busy;
        break;
      case Log::Next::end:
        break;
    }
  }
  // Other threads read the remaining logs. This one waits for its turn at the first of them.
  return busy != nullptr && (busy->next(block, true) == Log::Next::block || next(block));
}

void LogSet::scan(const Work& work, const Progress& progress) {
  for (const std::unique_ptr<Log>& log : logs_) {
    log->rewind();
  }
  std::atomic<bool> failed = false;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&](unsigned worker) {
    try {
      Block block;
      while (!failed && next(block)) {
        work(block, worker);
        if (worker == 0 && progress) {
          std::uint64_t done = 0;
          for (const std::unique_ptr<Log>& log : logs_) {
            done += log->done();
          }
          progress(done, octets());
        }
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = failure ? failure : std::current_exception();
      failed = true;
    }
  };
  {
    std::vector<std::jthread> others;
    const bool small = octets() < kPiece && octets() > 0;
    for (unsigned worker = 1; worker < workers_ && !small; ++worker) {
      others.emplace_back(run, worker);
    }
    run(0);
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

}  // namespace mtrk::find

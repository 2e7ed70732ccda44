#include "milter/ctl/octet_source.h"

#include "milter/ctl/decoder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace mtrk {
namespace {

constexpr std::size_t kMagic = 6;
constexpr std::size_t kInput = std::size_t{256} << 10;  // compressed octets per read
constexpr std::size_t kAhead = std::size_t{256} << 10;  // decompressed octets per block
constexpr std::size_t kBlocksAhead = 4;

std::size_t read_octets(int fd, char* to, std::size_t room, const std::string& path) {
  for (;;) {
    const ssize_t n = ::read(fd, to, room);
    if (n >= 0) {
      return static_cast<std::size_t>(n);
    }
    if (errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), path);
    }
  }
}

// A PlainSource returns first the octets that were examined, and then those of the descriptor.
class PlainSource final : public OctetSource {
 public:
  PlainSource(int fd, std::string path, std::string first)
      : fd_(fd), path_(std::move(path)), first_(std::move(first)), taken_(first_.size()) {}

  std::size_t read(char* to, std::size_t room) override {
    if (given_ < first_.size()) {
      const std::size_t n = first_.copy(to, room, given_);
      given_ += n;
      return n;
    }
    const std::size_t n = read_octets(fd_, to, room, path_);
    taken_ += n;
    return n;
  }
  [[nodiscard]] std::uint64_t taken() const override { return taken_; }

 private:
  int fd_;
  std::string path_;
  std::string first_;
  std::size_t given_ = 0;
  std::uint64_t taken_;
};

class CompressedSource final : public OctetSource {
 public:
  CompressedSource(int fd, std::string path, std::string first, Compression compression)
      : fd_(fd),
        path_(std::move(path)),
        compression_(compression),
        decoder_(make_decoder(compression)),
        input_(kInput),
        taken_(first.size()) {
    std::copy(first.begin(), first.end(), input_.begin());
    rest_ = std::string_view(input_.data(), first.size());
  }

  std::size_t read(char* to, std::size_t room) override {
    while (!over_) {
      if (rest_.empty() && !at_end_) {
        const std::size_t n = read_octets(fd_, input_.data(), input_.size(), path_);
        taken_ += n;
        at_end_ = n == 0;
        rest_ = std::string_view(input_.data(), n);
      }
      const Decoder::Step step = decoder_->decode(rest_, at_end_, to, room);
      given_ += step.made;
      over_ = step.state != Decoder::State::goes_on;
      if (step.state == Decoder::State::damaged) {
        complaint_ = "the " + std::string(name_of(compression_)) + " data are damaged after " +
                     std::to_string(given_) + " octets of log; what follows was not read";
      } else if (step.state == Decoder::State::cut) {
        complaint_ = "the " + std::string(name_of(compression_)) +
                     " data are cut off; what stands before the cut was read";
      }
      if (step.made > 0) {
        return step.made;
      }
    }
    return 0;
  }
  [[nodiscard]] std::string complaint() const override { return complaint_; }
  [[nodiscard]] Compression compression() const override { return compression_; }
  [[nodiscard]] std::uint64_t taken() const override { return taken_; }

 private:
  int fd_;
  std::string path_;
  Compression compression_;
  std::unique_ptr<Decoder> decoder_;
  std::vector<char> input_;
  std::string_view rest_;  // of the input
  bool at_end_ = false;
  bool over_ = false;
  std::uint64_t taken_;
  std::uint64_t given_ = 0;
  std::string complaint_;
};

// An AheadSource reads another source ahead, in a thread.
class AheadSource final : public OctetSource {
 public:
  explicit AheadSource(std::unique_ptr<OctetSource> source)
      : source_(std::move(source)), compression_(source_->compression()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { fill(stop); });
  }
  ~AheadSource() override {
    thread_.request_stop();
    changed_.notify_all();
  }

  std::size_t read(char* to, std::size_t room) override {
    if (block_.size() == given_) {
      next_block();
    }
    const std::size_t n = std::min(room, block_.size() - given_);
    std::copy_n(block_.begin() + static_cast<std::ptrdiff_t>(given_), n, to);  // n may be 0
    given_ += n;
    return n;
  }
  [[nodiscard]] std::string complaint() const override {
    const std::lock_guard lock(mutex_);
    return complaint_;
  }
  [[nodiscard]] Compression compression() const override { return compression_; }
  [[nodiscard]] std::uint64_t taken() const override {
    const std::lock_guard lock(mutex_);
    return taken_;
  }

 private:
  using Block = std::vector<char>;

  void next_block() {
    std::unique_lock lock(mutex_);
    spare_.push_back(std::move(block_));
    block_.clear();
    given_ = 0;
    changed_.wait(lock, [this] { return !ready_.empty() || over_; });
    if (!ready_.empty()) {
      block_ = std::move(ready_.front());
      ready_.pop_front();
    } else if (failure_) {
      std::rethrow_exception(std::exchange(failure_, nullptr));
    }
    lock.unlock();
    changed_.notify_all();
  }

  void fill(const std::stop_token& stop) {
    try {
      Block block;
      do {
        {
          std::unique_lock lock(mutex_);
          changed_.wait(lock, stop, [this] { return ready_.size() < kBlocksAhead; });
          if (!spare_.empty()) {
            block = std::move(spare_.back());
            spare_.pop_back();
          }
        }
        block.resize(kAhead);
        std::size_t size = 0;
        std::size_t n = 1;
        while (size < block.size() && n > 0 && !stop.stop_requested()) {
          n = source_->read(block.data() + size, block.size() - size);
          size += n;
        }
        block.resize(size);
        const std::lock_guard lock(mutex_);
        taken_ = source_->taken();
        over_ = n == 0;
        complaint_ = source_->complaint();
        if (size > 0) {
          ready_.push_back(std::exchange(block, Block()));
        }
        changed_.notify_all();
      } while (!over_ && !stop.stop_requested());
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      over_ = true;
      changed_.notify_all();
    }
  }

  std::unique_ptr<OctetSource> source_;  // belongs to the thread
  Compression compression_;
  Block block_;  // belongs to the reader
  std::size_t given_ = 0;

  mutable std::mutex mutex_;  // protects the members below
  std::condition_variable_any changed_;
  std::deque<Block> ready_;
  std::vector<Block> spare_;
  std::uint64_t taken_ = 0;
  std::string complaint_;
  std::exception_ptr failure_;
  bool over_ = false;
  std::jthread thread_;  // must be last, because it uses the other members
};

}  // namespace

Compression compression_by_content(std::string_view first_octets) {
  using namespace std::string_view_literals;
  if (first_octets.starts_with("\x1F\x8B\x08"sv)) {
    return Compression::gzip;
  }
  if (first_octets.starts_with("\xFD"
                               "7zXZ\0"sv)) {
    return Compression::xz;
  }
  if (first_octets.starts_with("\x28\xB5\x2F\xFD"sv)) {
    return Compression::zstd;
  }
  const bool bzip2 = first_octets.size() >= 4 && first_octets.starts_with("BZh"sv) &&
                     first_octets[3] >= '1' && first_octets[3] <= '9';
  return bzip2 ? Compression::bzip2 : Compression::none;
}

std::string_view name_of(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return "gzip";
    case Compression::xz:
      return "xz";
    case Compression::zstd:
      return "zstd";
    case Compression::bzip2:
      return "bzip2";
    case Compression::none:
      break;
  }
  return "";
}

std::unique_ptr<OctetSource> open_octets(int fd, const std::string& path) {
  std::string first(kMagic, '\0');
  std::size_t size = 0;
  while (size < first.size()) {
    const std::size_t n = read_octets(fd, first.data() + size, first.size() - size, path);
    if (n == 0) {
      break;
    }
    size += n;
  }
  first.resize(size);
  const Compression compression = compression_by_content(first);
  if (compression == Compression::none) {
    return std::make_unique<PlainSource>(fd, path, std::move(first));
  }
  return std::make_unique<CompressedSource>(fd, path, std::move(first), compression);
}

std::unique_ptr<OctetSource> open_octets_ahead(int fd, const std::string& path) {
  std::unique_ptr<OctetSource> source = open_octets(fd, path);
  if (source->compression() == Compression::none || std::thread::hardware_concurrency() < 2) {
    return source;
  }
  return std::make_unique<AheadSource>(std::move(source));
}

UniqueFd spool(OctetSource& source, std::string& complaint) {
  const char* folder = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  const std::string in = folder == nullptr || *folder == '\0' ? "/var/tmp" : folder;
  UniqueFd file(::open(in.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) {
    std::string name = in + "/mtrkctl-XXXXXX";  // a file system without O_TMPFILE
    file = UniqueFd(::mkostemp(name.data(), O_CLOEXEC));
    if (!file) {
      throw std::system_error(errno, std::generic_category(), in);
    }
    ::unlink(name.c_str());
  }
  std::vector<char> block(kAhead);
  while (const std::size_t n = source.read(block.data(), block.size())) {
    for (std::size_t done = 0; done < n;) {
      const ssize_t written = ::write(file.get(), block.data() + done, n - done);
      if (written < 0 && errno != EINTR) {
        throw std::system_error(errno, std::generic_category(), in);
      }
      done += written < 0 ? 0 : static_cast<std::size_t>(written);
    }
  }
  complaint = source.complaint();
  return file;
}

}  // namespace mtrk

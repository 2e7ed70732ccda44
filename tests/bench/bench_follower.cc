// The log follower with queue and store writer, as mtrk-milter has them, on a log of its own
// making: how many lines a second it gets through when it has to catch up, whether it keeps up with
// 50 000 lines a second while the log is rotated every second, and what memory that takes.
// Arguments: a folder on a real disk (default: the temporary folder), the number of lines to catch
// up with (default: 2 000 000), and journal files to read instead: journal:/path.
#include "common/store/capture.h"
#include "common/track/certifier.h"
#include "milter/base/circuit_breaker.h"
#include "milter/feed/log_follower.h"
#include "milter/log/location.h"
#include "milter/writer/queue.h"
#include "milter/writer/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace mtrk {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kTrackedEvery = 100;  // messages
constexpr std::uint64_t kLinesPerMessage = 8;
constexpr std::uint64_t kPace = 50'000;  // lines a second
constexpr int kSeconds = 10;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

double resident_mebibytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  return static_cast<double>(resident) * 4096 / (1 << 20);
}

std::string queue_id_of(std::uint64_t number) {
  return fmt::format("4jW{:08}zZZZ", number % 100'000'000);
}

// What Postfix says of one message.
void append_message(std::string& log, std::uint64_t number) {
  const TimePoint now = std::chrono::floor<Seconds>(std::chrono::system_clock::now());
  const std::string head = format_rfc3339(now) + " mx postfix/";
  const std::string id = queue_id_of(number);
  const std::string host =
      fmt::format("host{}.example.net[192.0.2.{}]", number % 977, number % 250);
  fmt::format_to(
      std::back_inserter(log),
      "{0}smtpd[101]: connect from {2}\n"
      "{0}smtpd[101]: {1}: client={2}\n"
      "{0}cleanup[102]: {1}: message-id=<{3}.x@host.example.net>\n"
      "{0}qmgr[103]: {1}: from=<sender{3}@example.net>, size=4711, nrcpt=1 (queue active)\n"
      "{0}smtpd[101]: disconnect from {2} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5\n"
      "{0}smtp[104]: {1}: to=<user{3}@example.org>, "
      "relay=mx.example.org[198.51.100.7]:25, delay=0.31, delays=0.1/0.01/0.1/0.1, "
      "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4jXabcdefzYYYY)\n"
      "{0}anvil[105]: statistics: max connection count 1 for (smtp:{2}) at Nov 21\n"
      "{0}qmgr[103]: {1}: removed\n",
      head, id, host, number);
}

store::Capture capture_of(std::uint64_t number) {
  const TypedAddress address{"rfc822", fmt::format("user{}@example.org", number)};
  return {QueueId::parse(queue_id_of(number)).value(),
          EnvelopeId::from_decoded(fmt::format("{}@bench.example", number)).value(),
          TrackingCertifier::from_octets({1, 2, 3}),
          {},
          {"dns", "mx.example.test"},
          std::chrono::floor<Seconds>(std::chrono::system_clock::now()),
          Minutes(0),
          number,
          store::Stage::final,
          {{address, address}}};
}

// The follower at work on `folder`, and what it is given.
class Bench {
 public:
  explicit Bench(const std::string& folder) : path_(folder + "/maillog") {
    config_.store.path = folder + "/store";
    std::filesystem::create_directories(config_.store.path);
    std::ofstream(path_, std::ios::app).flush();
  }

  // `captures`: those of the tracked messages are put first, as the milter would.
  void write(std::uint64_t messages, bool captures) {
    std::string text;
    for (std::uint64_t i = 0; i < messages; ++i, ++next_) {
      if (captures && next_ % kTrackedEvery == 0) {
        while (!queue_.push(PutCapture{capture_of(next_)}, nullptr)) {
          std::this_thread::sleep_for(1ms);
        }
      }
      append_message(text, next_);
      if (text.size() > (1 << 20) || i + 1 == messages) {
        std::ofstream(path_, std::ios::app | std::ios::binary) << text;
        octets_ += text.size();
        text.clear();
      }
    }
    written_ += messages * kLinesPerMessage;
  }
  void rotate(int generation) {
    std::filesystem::remove(fmt::format("{}.{}", path_, generation - 3));
    std::filesystem::rename(path_, fmt::format("{}.{}", path_, generation));
    std::ofstream(path_).flush();
  }

  void start() {
    const LogPlace place{LogPlace::Kind::file, path_};
    follower_.emplace([this, place] { return open_log(place, config_.log, begin_, counters_); },
                      queue_, counters_);
    writer_.emplace(config_, queue_, breaker_, counters_);
    writer_->start();
    follower_->start();
  }
  void stop() {
    follower_->request_stop();
    queue_.close();
    follower_->join();
    writer_->join();
  }
  // How long it takes until `lines` are applied.
  double await(std::uint64_t lines) {
    const Clock::time_point start = Clock::now();
    while (counters_.lines < lines) {
      std::this_thread::sleep_for(1ms);
    }
    return seconds_since(start);
  }

  [[nodiscard]] std::uint64_t written() const { return written_; }
  [[nodiscard]] std::uint64_t octets() const { return octets_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  std::string path_;
  Config config_;
  Counters counters_;
  CircuitBreaker breaker_;
  StoreQueue queue_{16 * 1024, 4 << 20};
  store::LogCursor begin_;  // at the start
  std::optional<StoreWriter> writer_;
  std::optional<LogFollower> follower_;
  std::uint64_t next_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t octets_ = 0;
};

void catch_up(const std::string& folder, std::uint64_t lines) {
  Bench bench(folder);
  bench.write(lines / kLinesPerMessage, false);
  const double before = resident_mebibytes();
  const double cpu = cpu_seconds();
  const Clock::time_point start = Clock::now();
  bench.start();
  bench.await(lines / 4);
  const double quarter = resident_mebibytes();
  bench.await(bench.written());
  const double took = seconds_since(start);
  fmt::print(
      "catching up: {} lines, {:.0f} MiB: {:.0f} lines/s, {:.0f} MiB/s, {:.2f} µs CPU/line\n",
      bench.written(), static_cast<double>(bench.octets()) / (1 << 20),
      static_cast<double>(bench.written()) / took,
      static_cast<double>(bench.octets()) / (1 << 20) / took,
      (cpu_seconds() - cpu) * 1e6 / static_cast<double>(bench.written()));
  fmt::print("  resident: {:.1f} MiB before, {:.1f} after a quarter, {:.1f} at the end\n", before,
             quarter, resident_mebibytes());
  bench.stop();
}

// Every 100th message is tracked; the log is rotated every second.
void keep_up(const std::string& folder) {
  Bench bench(folder);
  bench.start();
  constexpr int kSlices = 100;  // a second
  constexpr std::uint64_t kMessages = kPace / kLinesPerMessage / kSlices;
  const double cpu = cpu_seconds();
  const Clock::time_point start = Clock::now();
  std::uint64_t most_behind = 0;
  double early = 0;
  for (int slice = 0; slice < kSeconds * kSlices; ++slice) {
    bench.write(kMessages, true);
    if (slice % kSlices == kSlices - 1) {
      bench.rotate(slice / kSlices);
    }
    if (slice == 2 * kSlices) {
      early = resident_mebibytes();
    }
    most_behind = std::max(most_behind, bench.written() - bench.counters().lines);
    std::this_thread::sleep_until(start + (slice + 1) * 1000ms / kSlices);
  }
  const double took = seconds_since(start);
  const double late = bench.await(bench.written());
  fmt::print("keeping up: {:.0f} lines/s written, rotated every second, {} messages tracked\n",
             static_cast<double>(bench.written()) / took,
             bench.written() / kLinesPerMessage / kTrackedEvery);
  fmt::print(
      "  behind at most {} lines ({:.0f} ms), {:.0f} ms at the end; {:.1f} s CPU in {:.1f} s, "
      "the writing of the log included\n",
      most_behind, static_cast<double>(most_behind) * 1000 / kPace, late * 1000,
      cpu_seconds() - cpu, took);
  fmt::print("  resident: {:.1f} MiB after 2 s, {:.1f} at the end; gaps {}, applied {}\n", early,
             resident_mebibytes(), bench.counters().gaps.load(), bench.counters().applied.load());
  bench.stop();
}

void read_journal(const LogPlace& place) {
  Counters counters;
  Config::Log log;
  log.accounts = {"0", "101"};
  const auto source = open_log(place, log, store::LogCursor(), counters);
  const Clock::time_point start = Clock::now();
  std::uint64_t lines = 0;
  while (const std::optional<LogLines> some = source->next(Clock::now())) {
    lines += static_cast<std::uint64_t>(std::count(some->lines.begin(), some->lines.end(), '\n'));
  }
  fmt::print("journal: {} lines, {:.0f} lines/s, resident {:.1f} MiB\n", lines,
             static_cast<double>(lines) / seconds_since(start), resident_mebibytes());
}

}  // namespace
}  // namespace mtrk

int main(int argc, char** argv) try {
  const std::string place = argc > 1 ? argv[1] : std::filesystem::temp_directory_path().string();
  if (const auto journal = mtrk::parse_log_place(place)) {
    mtrk::read_journal(*journal);
    return 0;
  }
  const std::string folder = place + "/mtrk-bench-follower";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder + "/1");
  std::filesystem::create_directories(folder + "/2");
  mtrk::keep_up(folder + "/1");
  mtrk::catch_up(folder + "/2", argc > 2 ? std::stoull(argv[2]) : 2'000'000);
  std::filesystem::remove_all(folder);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_follower: %s\n", error.what());
  return 1;
}

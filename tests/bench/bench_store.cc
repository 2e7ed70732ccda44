// The store alone: captures a second by size of the batch (group commit), log events a second, and
// find() a second by size of the store. Arguments: [FOLDER] [MESSAGES …]; the folder decides which
// disk is measured (default: a temporary one in the current folder; 10000 and 1000000 messages).
#include "common/store/tracking_reader.h"
#include "common/store/tracking_writer.h"

#include <fmt/format.h>

#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using namespace mtrk;

constexpr TimePoint kNow{Seconds(1'800'000'000)};
constexpr auto kRun = std::chrono::seconds(2);

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// CPU time of the thread or the process: what counts on a machine that is not idle.
double cpu_seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

void print_rate(const std::string& what, double count, double seconds, double cpu) {
  fmt::print("{:<38} {:>9.0f} /s {:>9.0f} /CPU s\n", what, count / seconds, count / cpu);
}

TrackingCertifier certifier_of(std::uint64_t number) {
  Digest20 octets{};
  for (std::size_t i = 0; i < sizeof(number); ++i) {
    octets[i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return TrackingCertifier::from_octets(octets);
}
EnvelopeId envid_of(std::uint64_t number) {
  return EnvelopeId::from_decoded(fmt::format("{:016x}.bench@client.example.net", number)).value();
}
QueueId queue_id_of(std::uint64_t number) {
  return QueueId::parse(fmt::format("4dC{:010X}", number)).value();
}

store::Capture capture_of(std::uint64_t number) {
  const TypedAddress address{"rfc822", fmt::format("user{}@example.net", number % 1000)};
  return {queue_id_of(number),
          envid_of(number),
          certifier_of(number),
          {},
          {"dns", "mx.example.test"},
          kNow,
          Minutes(0),
          number,
          store::Stage::final,
          {{address, address}}};
}

store::TrackingWriter open_writer(const std::string& path) {
  store::WriterOptions options;
  options.path = path;
  return {options, store::Create::if_missing};
}

// Provisional and final capture of each message, as the milter does it.
void bench_captures(const std::string& path, std::uint64_t& next) {
  for (const std::uint64_t batch : {1U, 32U, 200U}) {
    store::TrackingWriter writer = open_writer(path);
    const std::uint64_t first = next;
    const double cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
    const Clock::time_point start = Clock::now();
    while (Clock::now() - start < kRun) {
      writer.begin();
      for (std::uint64_t i = 0; i < batch; ++i) {
        store::Capture capture = capture_of(next++);
        capture.stage = store::Stage::provisional;
        static_cast<void>(writer.put_capture(capture));
        capture.stage = store::Stage::final;
        static_cast<void>(writer.put_capture(capture));
      }
      writer.commit();
    }
    print_rate(fmt::format("captures, {} a batch", batch), static_cast<double>(next - first),
               seconds_since(start), cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
  }
}

// Three events a message (queued, relayed, removed), 200 messages a batch.
void bench_events(const std::string& path, std::uint64_t last) {
  constexpr std::uint64_t kBatch = 200;
  store::TrackingWriter writer = open_writer(path);
  std::uint64_t events = 0;
  double cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const Clock::time_point start = Clock::now();
  for (std::uint64_t number = 0; number + kBatch < last && Clock::now() - start < kRun;) {
    writer.begin();
    for (std::uint64_t i = 0; i < kBatch; ++i, ++number) {
      const std::string queue_id = queue_id_of(number).text();
      const std::string recipient = fmt::format("user{}@example.net", number % 1000);
      maillog::Attempt attempt;
      attempt.agent = "smtp";
      attempt.recipient = recipient;
      attempt.relay = "mx.example.net[192.0.2.25]:25";
      attempt.status = "sent";
      attempt.dsn = EnhancedStatus{2, 0, 0};
      attempt.text = "250 2.0.0 Ok: queued as 4ABCDEF";
      writer.apply({LogTime(kNow), queue_id, maillog::Queued{"s@example.net", 1}});
      writer.apply({LogTime(kNow), queue_id, attempt});
      writer.apply({LogTime(kNow), queue_id, maillog::Removed{"qmgr"}});
      events += 3;
    }
    writer.put_cursor("bench", {});
    writer.commit();
  }
  print_rate("events of tracked mail", static_cast<double>(events), seconds_since(start),
             cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
  cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  constexpr std::uint64_t kUntracked = 1'000'000;
  const Clock::time_point untracked = Clock::now();
  writer.begin();
  for (std::uint64_t i = 0; i < kUntracked; ++i) {
    static_cast<void>(writer.apply({LogTime(kNow), "4dCZZZZZZZZZZ", maillog::Removed{"qmgr"}}));
  }
  writer.commit();
  print_rate("events of untracked mail", kUntracked, seconds_since(untracked),
             cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

void fill(const std::string& path, std::uint64_t messages) {
  store::TrackingWriter writer = open_writer(path);
  const double cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const Clock::time_point start = Clock::now();
  for (std::uint64_t number = 0; number < messages;) {
    writer.begin();
    for (int i = 0; i < 5000 && number < messages; ++i, ++number) {
      const store::Capture capture = capture_of(number);
      TrackedMessage message;
      message.reporting_mta = capture.reporting_mta;
      message.arrival = kNow;
      message.expires_at = kNow + Seconds(9 * 24 * 3600);
      message.queue_id = capture.queue_id.text();
      message.recipients.push_back({capture.recipients[0].original, capture.recipients[0].final,
                                    Relayed{{kNow, MtaName{"dns", "mx.example.net"}}}, false});
      static_cast<void>(writer.put_message(capture.envelope_id, capture.certifier, message));
    }
    writer.commit();
  }
  print_rate(fmt::format("import of {}", messages), static_cast<double>(messages),
             seconds_since(start), cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

void bench_find(const std::string& path, std::uint64_t messages, unsigned threads) {
  const store::TrackingReader reader(path);
  std::vector<std::pair<EnvelopeId, TrackingCertifier>> asked;
  std::minstd_rand random(1);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t number = random() % messages;
    asked.emplace_back(envid_of(number), certifier_of(number));
  }
  std::atomic<std::uint64_t> found{0};
  std::vector<std::thread> running;
  const double cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const Clock::time_point start = Clock::now();
  for (unsigned i = 0; i < threads; ++i) {
    running.emplace_back([&] {
      for (std::size_t j = 0; j % 1000 != 0 || Clock::now() - start < kRun; ++j) {
        const auto& [id, certifier] = asked[j % asked.size()];
        found += reader.snapshot().find(id, certifier, kNow).messages.size();
      }
    });
  }
  for (std::thread& thread : running) {
    thread.join();
  }
  print_rate(fmt::format("find in {}, {} thread(s)", messages, threads), static_cast<double>(found),
             seconds_since(start), cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

void run(const std::string& folder, const std::vector<std::uint64_t>& sizes) {
  std::uint64_t next = 0;
  bench_captures(folder + "/captures", next);
  bench_events(folder + "/captures", next);
  for (const std::uint64_t messages : sizes) {
    const std::string path = folder + "/find-" + std::to_string(messages);
    fill(path, messages);
    bench_find(path, messages, 1);
    bench_find(path, messages, 2);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = (argc > 1 ? std::string(argv[1]) + "/" : "") + "bench-store-XXXXXX";
  std::vector<std::uint64_t> sizes;
  for (int i = 2; i < argc; ++i) {
    sizes.push_back(std::strtoull(argv[i], nullptr, 10));
  }
  if (sizes.empty()) {
    sizes = {10'000, 1'000'000};
  }
  if (::mkdtemp(folder.data()) == nullptr) {
    std::perror(folder.c_str());
    return 1;
  }
  int code = 0;
  try {
    run(folder, sizes);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    code = 1;
  }
  std::filesystem::remove_all(folder);
  return code;
}

#include "common/base/log.h"

#include "common/base/ascii.h"

#include <fmt/format.h>

#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace mtrk::log {

namespace {

constexpr std::size_t kLongestLine = 512;

// open() writes the state before there are threads; afterwards it is only read.
struct State {
  Sink sink = Sink::standard_error;
  Level least = Level::info;
  std::string program = "mtrk";  // openlog() keeps the pointer
  bool journal = false;
};

State& state() {
  static State instance;
  return instance;
}

int to_priority(Level level) {
  switch (level) {
    case Level::debug:
      return LOG_DEBUG;
    case Level::info:
      return LOG_INFO;
    case Level::notice:
      return LOG_NOTICE;
    case Level::warning:
      return LOG_WARNING;
    case Level::error:
      return LOG_ERR;
  }
  return LOG_ERR;
}

// JOURNAL_STREAM (systemd.exec(5)) is inherited even by children whose standard error was
// redirected, so the device and inode must agree.
bool journal_reads_standard_error() {
  // open() runs before there are threads.
  const char* stream = std::getenv("JOURNAL_STREAM");  // NOLINT(concurrency-mt-unsafe)
  struct stat status {};
  return stream != nullptr && ::fstat(STDERR_FILENO, &status) == 0 &&
         stream == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

// Each line is a single write(2), so that lines of several threads and processes never mix.
void write_standard_error(std::string_view line) {
  while (::write(STDERR_FILENO, line.data(), line.size()) < 0 && errno == EINTR) {
  }
}

}  // namespace

void open(Sink sink, std::string_view program, Level least) {
  State& s = state();
  s.sink = sink;
  s.least = least;
  s.program = program;
  s.journal = journal_reads_standard_error();
  if (sink == Sink::syslog) {
    ::openlog(s.program.c_str(), LOG_PID | LOG_NDELAY, LOG_MAIL);
  }
}

std::string format_line(std::string_view queue_id, Fields fields) {
  std::string line;
  if (!queue_id.empty()) {
    line += escape_for_people(queue_id, 64);
    line += ": ";
  }
  bool first = true;
  for (const auto& [key, value] : fields) {
    if (!first) {
      line += ", ";
    }
    first = false;
    line += key;
    if (!key.empty()) {
      line += '=';
    }
    line += escape_for_people(value, kLongestLine);
  }
  if (line.size() > kLongestLine) {
    constexpr std::string_view kCut = "[cut]";
    line.replace(kLongestLine - kCut.size(), std::string::npos, kCut);
  }
  return line;
}

void write(Level level, std::string_view queue_id, Fields fields) {
  const State& s = state();
  if (level < s.least) {
    return;
  }
  try {
    const std::string line = format_line(queue_id, fields);
    if (s.sink == Sink::syslog) {
      ::syslog(to_priority(level), "%s", line.c_str());
    } else if (s.journal) {
      write_standard_error(fmt::format("<{}>{}\n", to_priority(level), line));
    } else {
      write_standard_error(fmt::format("{}: {}\n", s.program, line));
    }
  } catch (...) {
    // Memory ran out. The line is lost, but the caller can go on.
  }
}

}  // namespace mtrk::log

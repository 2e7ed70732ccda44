#include "milter/log_location.h"

#include "common/base/ascii.h"
#include "common/base/unique_fd.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <string_view>

namespace mtrk {
namespace {

constexpr std::string_view kFile = "file:";
constexpr char kSyslogFile[] = "/var/log/mail.log";
constexpr std::chrono::milliseconds kPatience{2000};

// What `postconf -h maillog_file` prints; empty if it prints nothing, fails or takes too long.
std::string ask_postconf() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return {};
  }
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::array<std::string, 3> words{"postconf", "-h", "maillog_file"};
  std::array<char*, 4> arguments{words[0].data(), words[1].data(), words[2].data(), nullptr};
  pid_t child = -1;
  const int failed =
      ::posix_spawnp(&child, words[0].c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return {};
  }
  writing.reset(-1);
  std::string answer;
  bool complete = false;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!complete && answer.size() < 4096) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd event{reading.get(), POLLIN, 0};
    if (left.count() <= 0 || ::poll(&event, 1, static_cast<int>(left.count())) <= 0) {
      break;
    }
    std::array<char, 512> buffer{};
    const ssize_t got = ::read(reading.get(), buffer.data(), buffer.size());
    complete = got <= 0;
    answer.append(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  }
  if (!complete) {
    ::kill(child, SIGKILL);
    answer.clear();
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return answer.substr(0, answer.find('\n'));
}

}  // namespace

std::string log_complaint(const Config& config) {
  const std::string_view source = config.log.source;
  if (source == "journal") {
    return "log.source: following the journal is not in this release; use file:/path";
  }
  if (source != "auto" && !(source.starts_with(kFile) && source.substr(kFile.size(), 1) == "/")) {
    return "log.source: auto or file:/path is needed";
  }
  return {};
}

std::string locate_log(const Config& config) {
  if (config.log.source != "auto") {
    return config.log.source.substr(kFile.size());
  }
  if (config.log.mta == Mta::sendmail) {
    return kSyslogFile;
  }
  const std::string answer(trim(ask_postconf()));
  return answer.starts_with('/') ? answer : kSyslogFile;
}

}  // namespace mtrk

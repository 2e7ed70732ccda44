#include "milter/onward/service.h"

#include "common/base/log.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

namespace mtrk {
namespace {

using namespace std::chrono_literals;

constexpr char kGateGroup[] = "mtrk-gate";
constexpr mode_t kSocketMode = 0660;
constexpr int kBacklog = 16;
constexpr std::size_t kOneRead = std::size_t{16} * 1024;
constexpr int kTryAgain = 2000;  // milliseconds

std::system_error failed(const std::string& what) {
  return {errno, std::system_category(), what};
}

UniqueFd listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    throw failed(path);
  }
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  ::unlink(path.c_str());  // an earlier process may have had our pid
  if (!listener ||
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), kSocketMode) != 0 || ::listen(listener.get(), kBacklog) != 0) {
    throw failed(path);
  }
  return listener;
}

// Gives the socket the group of mtrk-gate, if that group exists and we may set it. Otherwise the
// socket keeps the group that it was made with: that of its folder, if the folder has the
// set-group-id bit. Returns the group.
gid_t give_to_gate(const std::string& path) {
  std::array<char, 4096> buffer{};
  struct group entry {};
  struct group* found = nullptr;
  if (::getgrnam_r(kGateGroup, &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    static_cast<void>(!::lchown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid));
  }
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    throw failed(path);
  }
  return status.st_gid;
}

TimePoint wall_clock_now() {
  return std::chrono::floor<Seconds>(std::chrono::system_clock::now());
}

}  // namespace

PassOnPolicy pass_on_policy(const Config& config) {
  return {config.retention.default_, config.privacy.forwarding == Forwarding::final};
}

OnwardService::OnwardService(std::string path, PassOnPolicy policy, OnwardStore& store)
    : path_(std::move(path)), store_(store), policy_(policy) {}

void OnwardService::set_policy(const PassOnPolicy& policy) {
  const std::lock_guard lock(policy_mutex_);
  policy_ = policy;
}

void OnwardService::start() {
  if (path_.empty()) {
    return;
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    throw failed("pipe");
  }
  stop_read_.reset(ends[0]);
  stop_write_.reset(ends[1]);
  publish();
  thread_ = std::thread([this] { run(); });
}

void OnwardService::stop() {
  if (thread_.joinable()) {
    static_cast<void>(!::write(stop_write_.get(), "", 1));
    thread_.join();
  }
}

// Whatever goes wrong here costs mail that leaves its MTRK, and the rest of the milter nothing.
void OnwardService::run() noexcept {
  try {
    work();
  } catch (const std::exception& error) {
    log::error("", {{"gate-socket", "given up"}, {"error", error.what()}});
  }
  published_.reset();
  clients_.clear();
  listener_.reset(-1);
}

void OnwardService::publish() {
  const std::string bound =
      fmt::format("{}/g.{}.sock", path_.substr(0, path_.rfind('/')), ::getpid());
  try {
    UniqueFd listener = listen_at(bound);
    group_ = give_to_gate(bound);
    published_ = std::make_unique<PublishedSocket>(bound, path_);
    listener_ = std::move(listener);
    if (std::exchange(complained_, false)) {
      log::notice("", {{"gate-socket", "open"}, {"path", path_}});
    }
  } catch (const std::system_error& error) {
    ::unlink(bound.c_str());
    if (!std::exchange(complained_, true)) {
      log::error("", {{"gate-socket", "cannot be opened, mail leaves without MTRK"},
                      {"error", error.what()}});
    }
  }
}

void OnwardService::work() {
  std::vector<pollfd> polled;
  int pause = -1;
  for (;;) {
    if (!listener_) {
      publish();
    }
    polled.assign({{stop_read_.get(), POLLIN, 0}, {pause < 0 ? listener_.get() : -1, POLLIN, 0}});
    for (const Client& client : clients_) {
      polled.push_back({client.fd.get(), client.out.empty() ? short{POLLIN} : short{POLLOUT}, 0});
    }
    const int wait = listener_ ? pause : kTryAgain;
    if (::poll(polled.data(), polled.size(), wait) < 0 && errno != EINTR) {
      throw failed("poll");
    }
    if (polled[0].revents != 0) {
      return;
    }
    std::size_t i = 2;
    std::list<Client> asked;
    for (auto client = clients_.begin(); client != clients_.end();) {
      const auto one = client++;
      if (polled[i++].revents != 0) {
        serve(*one);
        asked.splice(asked.end(), clients_, one);
      }
    }
    clients_.splice(clients_.end(), asked);
    clients_.remove_if([](const Client& client) { return client.gone; });
    pause = -1;
    if (polled[1].revents != 0 && !accept_clients()) {
      pause = kTryAgain;
    }
  }
}

// Returns false if there are no descriptors: trying again at once would spin.
bool OnwardService::accept_clients() {
  for (;;) {
    UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!client) {
      return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    }
    if (!may_ask(client.get())) {
      log::warning("", {{"gate-socket", "a stranger was turned away"}});
      continue;
    }
    if (clients_.size() >= kMostClients) {
      clients_.pop_front();  // the one that has asked nothing for longest
    }
    clients_.push_back({std::move(client), {}, {}, false});
  }
}

bool OnwardService::may_ask(int fd) const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return false;
  }
  if (peer.uid == 0 || peer.uid == ::geteuid() || peer.gid == group_) {
    return true;
  }
  std::array<gid_t, 1024> groups{};
  size = sizeof groups;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0 &&
         std::find(groups.begin(), groups.begin() + size / sizeof(gid_t), group_) !=
             groups.begin() + size / sizeof(gid_t);
}

void OnwardService::send(Client& client) {
  while (!client.out.empty()) {
    const ssize_t sent =
        ::send(client.fd.get(), client.out.data(), client.out.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      client.gone = errno != EAGAIN && errno != EINTR;
      return;
    }
    client.out.erase(0, static_cast<std::size_t>(sent));
  }
}

void OnwardService::serve(Client& client) {
  if (!client.out.empty()) {
    send(client);
    return;
  }
  const std::size_t held = client.in.size();
  client.in.resize(held + kOneRead);
  const ssize_t size = ::recv(client.fd.get(), client.in.data() + held, kOneRead, 0);
  client.in.resize(held + static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  if (size <= 0) {
    client.gone = size == 0 || (errno != EAGAIN && errno != EINTR);
    return;
  }
  std::string_view rest = client.in;
  for (;;) {
    const auto frame = onward_wire::take_frame(rest);
    if (!frame || (*frame && !answer(client, **frame))) {
      log::warning("", {{"gate-socket", "a client broke the protocol"}});
      client.gone = true;
      return;
    }
    if (!*frame) {
      break;
    }
  }
  client.in.erase(0, client.in.size() - rest.size());
  send(client);
}

bool OnwardService::answer(Client& client, std::string_view frame) {
  const Expected<onward_wire::Question> question = onward_wire::decode_question(frame);
  if (!question) {
    return false;
  }
  onward_wire::Answer answer{question->number, std::nullopt};
  if (question->about) {
    answer.verdict = look_up(*question->about, question->waited);
  }
  onward_wire::put_answer(client.out, answer);
  return true;
}

OnwardVerdict OnwardService::look_up(const OnwardTransaction& about,
                                     std::chrono::milliseconds waited) {
  PassOnPolicy policy;
  {
    const std::lock_guard lock(policy_mutex_);
    policy = policy_;
  }
  try {
    OnwardVerdict verdict = judge_all(store_.find(about), about, policy, wall_clock_now(), waited);
    if (std::exchange(complained_store_, false)) {
      log::notice("", {{"store", "read again for mtrk-gate"}});
    }
    return verdict;
  } catch (const std::exception& error) {
    if (!std::exchange(complained_store_, true)) {
      log::error("", {{"store", "cannot be read for mtrk-gate, mail leaves without MTRK"},
                      {"error", error.what()}});
    }
    OnwardVerdict verdict;
    verdict.kind = OnwardVerdict::Kind::unavailable;
    return verdict;
  }
}

}  // namespace mtrk

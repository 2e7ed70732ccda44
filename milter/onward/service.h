#pragma once

#include "common/base/unique_fd.h"
#include "common/config/config.h"
#include "milter/base/socket.h"
#include "milter/onward/judge.h"
#include "milter/onward/store.h"

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

// Answers mtrk-gate's questions about messages that leave (common/track/onward_query.h) on a unix
// socket, from a thread of its own that reads the store and never waits for the writer.
//
// Who may ask: root, this user, and the members of the group that the socket has: by its mode, and
// once more by what the kernel knows of the peer, should the socket be somewhere else than
// intended. A socket that cannot be had, because its folder is not there yet, is tried again; the
// rest of the milter does not depend on it.
namespace mtrk {

[[nodiscard]] PassOnPolicy pass_on_policy(const Config& config);

class OnwardService {
 public:
  static constexpr std::size_t kMostClients = 16;  // one mtrk-gate has one

  // An empty path: nobody asks, and start() does nothing.
  OnwardService(std::string path, PassOnPolicy policy, OnwardStore& store);
  ~OnwardService() { stop(); }
  OnwardService(const OnwardService&) = delete;
  OnwardService& operator=(const OnwardService&) = delete;

  void start();
  void stop();
  void set_policy(const PassOnPolicy& policy);  // any thread

 private:
  struct Client {
    UniqueFd fd;
    std::string in;   // less than a frame
    std::string out;  // not yet taken by the client; then nothing more is read from it
    bool gone = false;
  };

  void run() noexcept;
  void work();
  void publish();
  [[nodiscard]] bool accept_clients();
  [[nodiscard]] bool may_ask(int fd) const;
  void serve(Client& client);
  [[nodiscard]] bool answer(Client& client, std::string_view frame);
  [[nodiscard]] OnwardVerdict look_up(const OnwardTransaction& about,
                                      std::chrono::milliseconds waited);
  static void send(Client& client);

  std::string path_;
  OnwardStore& store_;
  std::mutex policy_mutex_;
  PassOnPolicy policy_;

  UniqueFd listener_;
  gid_t group_ = 0;  // of the socket
  std::unique_ptr<PublishedSocket> published_;
  bool complained_ = false;        // of the socket
  bool complained_store_ = false;  // that it cannot be read
  std::list<Client> clients_;      // who asked last stands last
  UniqueFd stop_read_;
  UniqueFd stop_write_;
  std::thread thread_;
};

}  // namespace mtrk

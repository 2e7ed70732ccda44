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
// socket. Its thread reads the store and never waits for the writer.
//
// Root, this user and the members of the socket's group may ask. The socket's mode ensures that,
// and what the kernel knows of the peer is checked as well, in case the socket is elsewhere than
// intended. If the socket cannot be made, because its folder does not exist yet, that is tried
// again; the rest of the milter does not depend on it.
namespace mtrk {

[[nodiscard]] PassOnPolicy pass_on_policy(const Config& config);

class OnwardService {
 public:
  static constexpr std::size_t kMostClients = 16;  // one mtrk-gate has one connection

  // With an empty path nothing can be asked, and start() does nothing. `store` must outlive the
  // service.
  OnwardService(std::string path, PassOnPolicy policy, OnwardStore& store);
  ~OnwardService() { stop(); }
  OnwardService(const OnwardService&) = delete;
  OnwardService& operator=(const OnwardService&) = delete;

  void start();
  void stop();
  void set_policy(const PassOnPolicy& policy);  // may be called from any thread

 private:
  struct Client {
    UniqueFd fd;
    std::string in;  // less than a frame
    // These octets are not taken by the client yet; until they are, nothing more is read from the
    // client.
    std::string out;
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
  gid_t group_ = 0;  // the group of the socket
  std::unique_ptr<PublishedSocket> published_;
  bool complained_ = false;        // about the socket
  bool complained_store_ = false;  // that the store cannot be read
  std::list<Client> clients_;      // the client that asked last is last
  UniqueFd stop_read_;
  UniqueFd stop_write_;
  std::thread thread_;
};

}  // namespace mtrk

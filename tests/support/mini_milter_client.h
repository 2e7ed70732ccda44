#pragma once

#include "common/base/codec.h"
#include "common/base/unique_fd.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mtrk::test {

// A MiniMilterClient is the MTA's side of the milter protocol, version 6, as far as the tests need
// it. One object is one connection. Each packet is a length, a command octet and its data.
class MiniMilterClient {
 public:
  static constexpr std::uint32_t kNoReplyRcpt = 0x8000;
  static constexpr std::uint32_t kNoReplyData = 0x10000;
  static constexpr std::uint32_t kAllSteps = 0x1fffff;
  static constexpr std::uint32_t kAllActions = 0x1ff;

  struct Packet {
    char command = 0;  // 0: the milter has closed the connection
    std::string data;
  };

  // Connects and negotiates.
  explicit MiniMilterClient(const std::string& path,
                            std::uint32_t actions = kAllActions,
                            std::uint32_t steps = kAllSteps)
      : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect to " + path);
    }
    std::string offer;
    put_u32(offer, 6);
    put_u32(offer, actions);
    put_u32(offer, steps);
    send('O', offer);
    const Packet answer = receive();
    std::string_view data = answer.data;
    std::uint32_t version = 0;
    if (answer.command != 'O' || !get_u32(data, version) || !get_u32(data, actions_) ||
        !get_u32(data, steps_)) {
      throw std::runtime_error("negotiation failed");
    }
    for (std::uint32_t stage = 0; get_u32(data, stage);) {
      const std::size_t end = data.find('\0');
      macros_[stage] = data.substr(0, end);
      data.remove_prefix(end + 1);
    }
  }

  [[nodiscard]] std::uint32_t actions() const { return actions_; }
  [[nodiscard]] std::uint32_t steps() const { return steps_; }
  // Returns the macros that the milter requests at each stage (SMFIM_*).
  [[nodiscard]] const std::map<std::uint32_t, std::string>& macros() const { return macros_; }

  char mail(const std::vector<std::string>& words) { return ask('M', join(words), 0); }
  char rcpt(const std::vector<std::string>& words) { return ask('R', join(words), kNoReplyRcpt); }
  char data(std::string_view queue_id) {
    send_identity('T', queue_id);
    return ask('T', "", kNoReplyData);
  }
  // Returns the answer; the requested changes are in changes().
  char end_of_message(std::string_view queue_id) {
    send_identity('E', queue_id);
    return end_of_message();
  }
  char end_of_message() {
    send('E', "");
    changes_.clear();
    for (;;) {
      Packet packet = receive();
      if (packet.command != 'e') {
        return packet.command;
      }
      changes_.push_back(std::move(packet.data));
    }
  }
  // Returns the data of each smfi_chgfrom: sender, NUL, arguments, NUL.
  [[nodiscard]] const std::vector<std::string>& changes() const { return changes_; }
  void abort() { send('A', ""); }     // has no answer
  void quit() { send('Q', ""); }      // has no answer
  void quit_new() { send('K', ""); }  // the connection is used again
  // Sends the macros of the next command.
  void define(char command, const std::vector<std::string>& names_and_values) {
    send('D', std::string(1, command) + join(names_and_values));
  }
  char data() { return ask('T', "", kNoReplyData); }
  void send(char command, std::string_view data) {
    std::string packet;
    put_u32(packet, static_cast<std::uint32_t>(data.size() + 1));
    packet += command;
    packet += data;
    if (::send(fd_.get(), packet.data(), packet.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(packet.size())) {
      throw std::runtime_error("the milter is gone");
    }
  }
  Packet receive() {
    std::string head = receive_octets(4);
    std::string_view rest = head;
    std::uint32_t length = 0;
    if (!get_u32(rest, length)) {
      return {};
    }
    std::string packet = receive_octets(length);
    return {packet.empty() ? '\0' : packet[0], packet.empty() ? "" : packet.substr(1)};
  }
  static std::string join(const std::vector<std::string>& words) {
    std::string joined;
    for (const std::string& word : words) {
      joined.append(word).push_back('\0');
    }
    return joined;
  }

 private:
  void send_identity(char stage, std::string_view queue_id) {
    std::string data(1, stage);
    if (!queue_id.empty()) {
      data += join({"i", std::string(queue_id)});
    }
    data += join({"j", "mx.macro.test"});
    send('D', data);
  }
  // Sends a command and returns its answer, or 'c' if the milter negotiated not to answer it.
  char ask(char command, std::string_view data, std::uint32_t no_reply) {
    send(command, data);
    return (steps_ & no_reply) != 0 ? 'c' : receive().command;
  }
  std::string receive_octets(std::size_t count) {
    std::string octets(count, '\0');
    const ssize_t got = ::recv(fd_.get(), octets.data(), count, MSG_WAITALL);
    octets.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return octets;
  }

  UniqueFd fd_;
  std::uint32_t actions_ = 0;
  std::uint32_t steps_ = 0;
  std::map<std::uint32_t, std::string> macros_;
  std::vector<std::string> changes_;
};

}  // namespace mtrk::test

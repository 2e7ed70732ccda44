#pragma once

#include "common/base/unique_fd.h"

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace mtrk::test {

// A WireClient is a blocking client that sends exactly the octets that it is given, plain or over
// TLS. Every wait ends with an exception after ten seconds, so that no test hangs.
class WireClient {
 public:
  static constexpr int kPatience = 10000;  // ms

  explicit WireClient(std::uint16_t port, const char* from = "127.0.0.1")
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in local = address(from, 0);
    const sockaddr_in server = address("127.0.0.1", port);
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0 ||
        ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }

  [[nodiscard]] int fd() const { return fd_.get(); }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::ptrdiff_t sent =
          ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
               : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return;  // the server has closed, but its last octets can still be read
      }
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // Returns some more octets, or nothing at the end of the connection, however it ended.
  [[nodiscard]] std::optional<std::string> receive() {
    std::array<char, 16384> buffer{};
    if (!ssl_ || SSL_pending(ssl_.get()) == 0) {
      wait(POLLIN);
    }
    const std::ptrdiff_t length =
        ssl_ ? SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()))
             : ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (length <= 0) {
      return std::nullopt;
    }
    return std::string(buffer.data(), static_cast<std::size_t>(length));
  }

  // Reads until `enough` returns true or the connection ends.
  std::string receive_until(const std::function<bool(const std::string&)>& enough) {
    std::string all;
    while (!enough(all)) {
      std::optional<std::string> more = receive();
      if (!more) {
        break;
      }
      all += *more;
    }
    return all;
  }
  std::string receive_lines(std::size_t count) {
    return receive_until([count](const std::string& text) {
      std::size_t lines = 0;
      for (const char c : text) {
        lines += c == '\n' ? 1 : 0;
      }
      return lines >= count;
    });
  }
  std::string receive_all() {
    return receive_until([](const std::string&) { return false; });
  }

  // Returns false if the handshake fails. `adjust` may change the context before it; `resume` is a
  // session to offer.
  bool start_tls(const std::string& name,
                 const std::function<void(SSL_CTX*)>& adjust = {},
                 SSL_SESSION* resume = nullptr) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    if (adjust) {
      adjust(context_.get());
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(name.c_str()));
    SSL_set_fd(ssl_.get(), fd_.get());
    if (resume != nullptr) {
      SSL_set_session(ssl_.get(), resume);
    }
    return SSL_connect(ssl_.get()) == 1;
  }
  [[nodiscard]] SSL* ssl() { return ssl_.get(); }

  void shutdown_send() { ::shutdown(fd_.get(), SHUT_WR); }
  // Closes the connection with RST instead of FIN.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.reset(-1);
  }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  static sockaddr_in address(const char* text, std::uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(port);
    ::inet_pton(AF_INET, text, &result.sin_addr);
    return result;
  }

  void wait(short events) const {
    pollfd waiting{fd_.get(), events, 0};
    if (::poll(&waiting, 1, kPatience) != 1) {
      throw std::runtime_error("the server does not answer");
    }
  }

  UniqueFd fd_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace mtrk::test

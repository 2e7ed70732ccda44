#pragma once

#include "tests/support/test_certificate.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

// A ScriptedPeer is a server on loopback that plays a script on its own thread, one connection
// after the other, to show what clients must survive. It is for unit tests of clients; system tests
// use real servers.
namespace mtrk::test {

class ScriptedPeer {
 public:
  // A Session is the server's side of one connection. An error ends the connection but not the
  // test, which examines what the client makes of it.
  class Session {
   public:
    Session(boost::asio::ip::tcp::socket& socket, ScriptedPeer& peer)
        : socket_(socket), peer_(peer) {}

    void send(const std::string& bytes) {
      if (tls_) {
        boost::asio::write(*tls_, boost::asio::buffer(bytes));
      } else {
        boost::asio::write(socket_, boost::asio::buffer(bytes));
      }
    }
    // Returns the next line without CRLF, or "" if the client is gone.
    std::string line() {
      boost::system::error_code error;
      const std::size_t size =
          tls_ ? boost::asio::read_until(*tls_, boost::asio::dynamic_buffer(input_), "\r\n", error)
               : boost::asio::read_until(socket_, boost::asio::dynamic_buffer(input_), "\r\n",
                                         error);
      std::string line = input_.substr(0, error ? input_.size() : size);
      input_.erase(0, line.size());
      peer_.note(line);
      return error ? "" : line.substr(0, line.size() - 2);
    }
    // Reads everything until the client is gone.
    void drain() {
      while (!line().empty()) {
      }
    }
    bool start_tls(const TestCertificate& certificate) {
      context_.use_certificate_chain_file(certificate.certificate_file());
      context_.use_private_key_file(certificate.key_file(), boost::asio::ssl::context::pem);
      auto tls = std::make_unique<Tls>(socket_, context_);
      boost::system::error_code error;
      tls->handshake(boost::asio::ssl::stream_base::server, error);
      tls_ = std::move(tls);
      return !error;
    }
    boost::asio::ssl::context& context() { return context_; }

   private:
    using Tls = boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>;
    boost::asio::ip::tcp::socket& socket_;
    ScriptedPeer& peer_;
    boost::asio::ssl::context context_{boost::asio::ssl::context::tls_server};
    std::unique_ptr<Tls> tls_;
    std::string input_;
  };
  using Script = std::function<void(Session&)>;

  explicit ScriptedPeer(Script script)
      : acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}), script_(std::move(script)) {
    port_ = acceptor_.local_endpoint().port();
    thread_ = std::thread([this] { serve(); });
  }
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;
  ~ScriptedPeer() {
    stopping_ = true;
    boost::asio::io_context io;
    boost::asio::ip::tcp::socket wake(io);
    boost::system::error_code ignored;
    wake.connect({boost::asio::ip::address_v4::loopback(), port_}, ignored);
    thread_.join();
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // Returns all lines of all clients with their line ends. Waits until the script has ended.
  [[nodiscard]] std::string received() const {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return !busy_; });
    return received_;
  }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void note(const std::string& line) {
    const std::lock_guard lock(mutex_);
    received_ += line;
  }
  void set_busy(bool busy) {
    const std::lock_guard lock(mutex_);
    busy_ = busy;
    idle_.notify_all();
  }
  void serve() {
    while (true) {
      boost::system::error_code error;
      boost::asio::ip::tcp::socket socket(io_);
      acceptor_.accept(socket, error);
      if (stopping_ || error) {
        return;
      }
      ++connections_;
      set_busy(true);
      try {
        Session session(socket, *this);
        script_(session);
      } catch (const boost::system::system_error&) {  // the client has closed the connection
      }
      set_busy(false);
    }
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  Script script_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable idle_;
  bool busy_ = false;
  std::string received_;
  std::thread thread_;
};

}  // namespace mtrk::test

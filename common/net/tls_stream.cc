#include "common/net/tls_stream.h"

#include <boost/asio/ssl/error.hpp>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl3.h>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <new>

namespace mtrk::net {

struct TlsStream::Link {
  int fd;
  unsigned key_updates = 0;  // since the last application data
};

namespace {

constexpr unsigned kMaxKeyUpdates = 32;

bool is_transient(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// A SocketBio is a BIO for sockets like that of OpenSSL, except that it never raises SIGPIPE.
template <typename Link>
struct SocketBio {
  static Link& link(BIO* bio) { return *static_cast<Link*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* out, int size) {
    BIO_clear_retry_flags(bio);
    if (link(bio).key_updates > kMaxKeyUpdates) {
      errno = EPROTO;
      return -1;
    }
    const ssize_t length = ::recv(link(bio).fd, out, static_cast<std::size_t>(size), 0);
    if (length < 0 && is_transient(errno)) {
      BIO_set_retry_read(bio);
    } else if (length == 0) {
      BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    }
    return static_cast<int>(length);
  }

  static int write(BIO* bio, const char* data, int size) {
    BIO_clear_retry_flags(bio);
    const ssize_t length = ::send(link(bio).fd, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (length < 0 && is_transient(errno)) {
      BIO_set_retry_write(bio);
    }
    return static_cast<int>(length);
  }

  static long control(BIO* bio, int command, long, void*) {
    switch (command) {
      case BIO_CTRL_FLUSH:
        return 1;
      case BIO_CTRL_EOF:
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
      default:
        return 0;
    }
  }

  static int create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
  }

  static const BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* bio = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "mtrk socket");
      BIO_meth_set_read(bio, read);
      BIO_meth_set_write(bio, write);
      BIO_meth_set_ctrl(bio, control);
      BIO_meth_set_create(bio, create);
      return bio;
    }();
    return made;
  }
};

// Counts key updates. OpenSSL processes them without end inside one SSL_read(), which would block
// the thread.
template <typename Link>
void count_key_updates(int is_write,
                       int,
                       int content_type,
                       const void* message,
                       std::size_t length,
                       SSL*,
                       void* link) {
  if (is_write == 0 && content_type == SSL3_RT_HANDSHAKE && length > 0 &&
      *static_cast<const unsigned char*>(message) == SSL3_MT_KEY_UPDATE) {
    ++static_cast<Link*>(link)->key_updates;
  }
}

error_code last_error(int why) {
  const unsigned long code = ERR_get_error();
  if (why == SSL_ERROR_ZERO_RETURN) {
    return asio::error::eof;
  }
  if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return asio::ssl::error::stream_truncated;
  }
  if (code != 0) {
    return {static_cast<int>(code), asio::error::get_ssl_category()};
  }
  if (errno != 0) {
    return {errno, boost::system::system_category()};
  }
  return asio::ssl::error::stream_truncated;
}

}  // namespace

TlsStream::TlsStream(Socket& socket, SSL_CTX* context)
    : socket_(socket), link_(new Link{socket.native_handle()}), ssl_(SSL_new(context)) {
  BIO* bio = BIO_new(SocketBio<Link>::method());
  if (ssl_ == nullptr || bio == nullptr) {
    BIO_free(bio);
    throw std::bad_alloc();
  }
  BIO_set_data(bio, link_.get());
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS);
  SSL_set_msg_callback(ssl_.get(), count_key_updates<Link>);
  SSL_set_msg_callback_arg(ssl_.get(), link_.get());
  error_code ignored;
  socket_.native_non_blocking(true, ignored);
}

TlsStream::~TlsStream() = default;

template <typename Step>
Awaitable<TlsStream::Io> TlsStream::drive(Step step) {
  for (;;) {
    if (!socket_.is_open()) {
      co_return Io(asio::error::operation_aborted, 0);
    }
    ERR_clear_error();
    errno = 0;
    const int result = step(ssl_.get());
    if (result > 0) {
      co_return Io(error_code(), static_cast<std::size_t>(result));
    }
    const int why = SSL_get_error(ssl_.get(), result);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
      co_return Io(last_error(why), 0);
    }
    const auto [error] = co_await socket_.async_wait(
        why == SSL_ERROR_WANT_READ ? Socket::wait_read : Socket::wait_write, kAwait);
    if (error) {
      co_return Io(error, 0);
    }
  }
}

Awaitable<error_code> TlsStream::accept() {
  const auto [error, ignored] = co_await drive([](SSL* ssl) { return SSL_accept(ssl); });
  co_return error;
}

Awaitable<error_code> TlsStream::connect() {
  const auto [error, ignored] = co_await drive([](SSL* ssl) { return SSL_connect(ssl); });
  co_return error;
}

Awaitable<TlsStream::Io> TlsStream::read_some(asio::mutable_buffer buffer) {
  const auto size = static_cast<int>(std::min<std::size_t>(buffer.size(), INT_MAX));
  const Io io = co_await drive([&](SSL* ssl) { return SSL_read(ssl, buffer.data(), size); });
  link_->key_updates = 0;
  co_return io;
}

Awaitable<TlsStream::Io> TlsStream::write_some(asio::const_buffer buffer) {
  const auto size = static_cast<int>(std::min<std::size_t>(buffer.size(), INT_MAX));
  return drive([=](SSL* ssl) { return SSL_write(ssl, buffer.data(), size); });
}

Awaitable<error_code> TlsStream::shutdown() {
  const auto [error, ignored] = co_await drive([](SSL* ssl) {
    const int sent = SSL_shutdown(ssl);  // 0: ours was sent, that of the peer has not arrived
    return sent != 0 ? sent : SSL_shutdown(ssl);
  });
  co_return error;
}

}  // namespace mtrk::net

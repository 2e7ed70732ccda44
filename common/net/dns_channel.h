#pragma once

#include "common/net/dns.h"

#include <ares.h>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <map>
#include <memory>
#include <optional>

namespace mtrk::net {

// c-ares for the queries of one look-up: its sockets are watched by the io_context of `executor`.
// Belongs to one coroutine. Its end ends all queries: their callbacks are called from the
// destructor, so what they write to has to live longer.
class DnsChannel {
 public:
  enum class Search { no, yes };  // the system's search domains, for names given by people

  DnsChannel(Executor executor, const DnsOptions& options, Search search);
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;
  ~DnsChannel();

  // What is wrong, if the channel cannot be used.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] ares_channel native() const { return channel_; }

  // Each query is counted when it begins and when its callback has been called.
  void query_begins() { ++pending_; }
  void query_ends() noexcept;
  // Until there are no more queries or the time is over: what is unfinished then is cancelled, its
  // callbacks say ARES_ECANCELLED.
  [[nodiscard]] Awaitable<void> finish(Clock::time_point end);

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
  struct Watched;  // a socket of c-ares

  static void on_socket_state(void* self, ares_socket_t fd, int read, int write) noexcept;
  void watch(const std::shared_ptr<Watched>& socket);
  void arm(const std::shared_ptr<Watched>& socket, bool Watched::*armed, bool for_reading);
  [[nodiscard]] Clock::time_point next_retry(Clock::time_point end) const;

  Executor executor_;
  Timer wake_;
  ares_channel channel_ = nullptr;
  std::string trouble_;
  std::size_t pending_ = 0;
  std::map<ares_socket_t, std::shared_ptr<Watched>> sockets_;
};

}  // namespace mtrk::net

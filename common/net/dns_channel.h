#pragma once

#include "common/net/dns.h"

#include <ares.h>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <map>
#include <memory>
#include <optional>

namespace mtrk::net {

// A DnsChannel runs c-ares for the queries of one look-up; the io_context of `executor` watches its
// sockets. It belongs to one coroutine. Its destructor ends all queries and calls their callbacks,
// so the objects that these write to must live longer.
class DnsChannel {
 public:
  enum class Search { no, yes };  // use the system's search domains, for names given by people

  DnsChannel(Executor executor, const DnsOptions& options, Search search);
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;
  ~DnsChannel();

  // Returns why the channel cannot be used, or an empty string.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] ares_channel native() const { return channel_; }

  // Call the first when a query begins, and the second when its callback has been called.
  void query_begins() { ++pending_; }
  void query_ends() noexcept;
  // Waits until there are no more queries or the time is over. Queries that are unfinished then are
  // cancelled; their callbacks receive ARES_ECANCELLED.
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

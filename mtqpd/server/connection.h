#pragma once

#include "common/mtqp/line_buffer.h"
#include "common/mtqp/server_session.h"
#include "common/net/transport.h"
#include "mtqpd/server/address_limiter.h"
#include "mtqpd/server/connection_set.h"
#include "mtqpd/server/query_service.h"
#include "mtqpd/server/settings.h"

#include <boost/asio/cancellation_signal.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mtrk::mtqpd {

// Serves one client from accept to close: moves octets between a Transport and a ServerSession, and
// does what the session asks for. A connection lives in the coroutine that runs it and belongs to
// one thread.
class Connection {
 public:
  enum class Starts { plain, with_tls };

  Connection(net::Socket socket,
             const net::Tcp::endpoint& peer,
             AddressLimiter::Place place,
             Starts starts,
             std::shared_ptr<const Settings> settings,
             const QueryService& queries,
             ConnectionSet& set);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();  // writes the connection's line to the log

  [[nodiscard]] net::Awaitable<void> run();

  // These are for the ConnectionSet. Each of the calls below only wakes the coroutine, which ends
  // later.
  [[nodiscard]] net::Clock::time_point deadline() const { return deadline_; }
  // Its deadline has passed.
  void end_late();
  // If it waits for input or other servers, it looks at draining().
  void interrupt();
  // Returns false if the connection is not idle.
  bool evict();

 private:
  enum class End { closed, start_tls, lost };  // closed: by us, after our last words
  [[nodiscard]] net::Awaitable<End> hold_session();
  [[nodiscard]] net::Awaitable<bool> send();
  [[nodiscard]] net::Awaitable<bool> secure(boost::asio::ssl::context* context);
  [[nodiscard]] net::Awaitable<void> say_goodbye();

  [[nodiscard]] mtqp::SessionPolicy make_policy() const;
  // Returns nothing when input, or room for output, is missing; else how the session has ended.
  [[nodiscard]] std::optional<End> answer_lines(mtqp::ServerSession& session,
                                                mtqp::LineBuffer& lines);
  // Looks the query up and answers it, unless other servers have to be asked first: then
  // answer_chained() gives the answer.
  void look_up(mtqp::LookUp& query, QueryService::Batch& batch, mtqp::ServerSession& session);
  [[nodiscard]] std::unique_ptr<ChainJob> plan_chain(mtqp::LookUp& query,
                                                     QueryService::Batch& batch,
                                                     const std::string& report);
  [[nodiscard]] net::Awaitable<void> answer_chained(mtqp::ServerSession& session);
  [[nodiscard]] mtqp::DomainCheck check_domain(std::string_view domain);
  // Handles a read that failed: puts what is left to say to the client into out_.
  [[nodiscard]] End end_of_input();
  enum class Late { innocent, offence };
  void allow(std::chrono::milliseconds time, const char* otherwise, Late late = Late::innocent);
  void count_answer(mtqp::ServerSession::LookUpResult result);
  void log_query(const char* result, std::uint32_t tag);
  void log_chain(const ChainJob& job);
  void release_memory(mtqp::LineBuffer& lines);

  net::Transport transport_;
  net::Tcp::endpoint peer_;
  AddressLimiter::Place place_;
  Starts starts_;
  std::shared_ptr<const Settings> settings_;
  const QueryService& queries_;
  ConnectionSet& set_;
  ConnectionSet::List::iterator in_set_;

  std::array<char, 4096> in_{};
  std::string out_;
  std::unique_ptr<ChainJob> chain_;  // a query that waits for other servers
  std::uint32_t chain_tag_ = 0;
  boost::asio::cancellation_signal* end_chain_ = nullptr;  // set while they are asked
  // This is the context that STARTTLS chose; settings_ keeps it alive.
  boost::asio::ssl::context* context_ = nullptr;
  AddressLimiter::Handshake handshake_;

  net::Clock::time_point deadline_;
  const char* on_deadline_ = "";  // what the log says if the deadline ends the connection
  Late late_ = Late::innocent;
  const char* ended_by_ = "lost";
  bool waits_for_input_ = false;
  bool evicted_ = false;
  bool offended_ = false;  // The connection ended in a way that costs a penalty.

  net::Clock::time_point started_;
  std::uint64_t commands_ = 0;
  std::uint64_t found_ = 0;
  std::uint64_t not_found_ = 0;
  std::uint64_t unavailable_ = 0;
  std::uint64_t throttled_ = 0;
};

}  // namespace mtrk::mtqpd

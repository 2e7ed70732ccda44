#pragma once

#include "common/net/asio.h"
#include "common/track/onward_query.h"
#include "milter/gate/session/onward.h"

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mtrk::gate {

// Asks mtrk-milter the outbound gate's questions, over one connection that is kept. If the milter
// fails in any way, a message loses its MTRK and nothing else:
//
//  * A question has to be answered within `answer`. If it is not, or if anything but answers
//    arrives, the milter counts as away from then on.
//  * While the milter is away, messages go on at once. Every `again` the gate tries in the
//    background whether the milter is back; no message waits for that.
//  * At the start, and when a connection ends that has served for `proven`, the milter may just be
//    starting. Messages then wait for it, but only until `answer` has passed since.
//  * It is logged once that the milter is away, and once that it is back.
class GateLookUp {
 public:
  struct Timing {  // parameters only so that tests need not wait
    std::chrono::milliseconds answer{500};
    std::chrono::milliseconds again{2'000};
    std::chrono::milliseconds proven{10'000};
  };
  explicit GateLookUp(std::string path) : GateLookUp(std::move(path), Timing()) {}
  GateLookUp(std::string path, Timing timing) : path_(std::move(path)), timing_(timing) {}

  // Keeps the connection, and never returns. To be spawned once, before any look-up.
  [[nodiscard]] net::Awaitable<void> keep();

  // Returns how MAIL goes on. If the verdict depends on the milter's log follower, this waits for
  // it, a second and a half at most.
  [[nodiscard]] net::Awaitable<smtp::GateOnwardSession::Answer> look_up(
      smtp::GateOnwardSession::Transaction transaction);

 private:
  enum class State { opening, up, away };
  // A Waiting stands for a coroutine that waits for an answer or for a change of state.
  struct Waiting {
    explicit Waiting(const net::Executor& executor) : timer(executor) {}
    net::Timer timer;  // ends early when there is something to see
    std::uint32_t number = 0;
    std::optional<OnwardVerdict> verdict;
  };
  struct Link {
    explicit Link(net::Socket connected) : socket(std::move(connected)) {}
    net::Socket socket;
    std::string in;
    std::string out;
    std::string under_way;  // the part of `out` that is being sent
    bool sending = false;
    std::deque<std::shared_ptr<Waiting>> asked;  // in the order of their questions
    std::string_view broken;  // why the link is of no use any more; empty if it is
  };

  [[nodiscard]] net::Awaitable<std::string> serve();
  [[nodiscard]] bool take_answers(Link& link);
  [[nodiscard]] net::Awaitable<std::optional<OnwardVerdict>> ask(OnwardTransaction transaction,
                                                                 std::chrono::milliseconds waited);
  static void flush(const std::shared_ptr<Link>& link);
  static void break_off(Link& link, std::string_view why);
  void become(State state);
  void go_away(std::string_view why);
  void come_back();
  void note_store(bool readable);

  std::string path_;
  Timing timing_;
  State state_ = State::opening;
  std::weak_ptr<Link> link_;  // owned by serve(), so that it ends before its context
  std::vector<std::weak_ptr<Waiting>> opening_;  // those that wait for the state to change
  std::uint32_t number_ = 0;
  net::Clock::time_point up_since_{};
  bool said_away_ = false;
  bool said_unreadable_ = false;
};

}  // namespace mtrk::gate

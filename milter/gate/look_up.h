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

// The outbound gate's questions to mtrk-milter, over one connection that is kept. Whatever becomes
// of the milter costs a message its MTRK and nothing else:
//
//  * A question has `answer` of time. If that is over, or anything else than answers comes, the
//    milter counts as away from then on.
//  * While it is away messages go on at once. In the background it is asked every `again` whether
//    it is there; no message waits for that.
//  * At the start, and when a connection ends that has served for `proven`, it may only just be
//    starting: messages wait for it, until `answer` of time has passed since.
//  * That it is away, or back, is said once each.
class GateLookUp {
 public:
  struct Timing {  // parameters only so that tests need not wait
    std::chrono::milliseconds answer{500};
    std::chrono::milliseconds again{2'000};
    std::chrono::milliseconds proven{10'000};
  };
  explicit GateLookUp(std::string path) : GateLookUp(std::move(path), Timing()) {}
  GateLookUp(std::string path, Timing timing) : path_(std::move(path)), timing_(timing) {}

  // Keeps the connection, and never returns: to be spawned once, before look-ups.
  [[nodiscard]] net::Awaitable<void> keep();

  // How MAIL goes on. Waits for the milter's log follower where the verdict hangs on it, for a
  // second and a half at most.
  [[nodiscard]] net::Awaitable<smtp::GateOnwardSession::Answer> look_up(
      smtp::GateOnwardSession::Transaction transaction);

 private:
  enum class State { opening, up, away };
  // Somebody who waits.
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
    std::string under_way;  // of out, being sent
    bool sending = false;
    std::deque<std::shared_ptr<Waiting>> asked;  // in the order of their questions
    std::string_view broken;                     // why it is of no use any more
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
  std::weak_ptr<Link> link_;  // lives in serve(): before the context that it belongs to
  std::vector<std::weak_ptr<Waiting>> opening_;  // who waits for the state to change
  std::uint32_t number_ = 0;
  net::Clock::time_point up_since_{};
  bool said_away_ = false;
  bool said_unreadable_ = false;
};

}  // namespace mtrk::gate

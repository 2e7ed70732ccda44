#include "milter/writer/queue.h"

#include "tests/unit/store/store_fixture.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace mtrk {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr char kQueueId[] = "4TESTQUEUE";

StoreOperation drop(std::uint64_t ticket) {
  return DropCapture{kQueueId, ticket};
}

StoreOperation provisional() {
  return PutCapture{
      store::capture(kQueueId, "id@example.test", {"u@example.test"}, store::Stage::provisional)};
}

// As an end of message does it.
bool push_and_wait(StoreQueue& queue, std::uint64_t number, std::size_t company) {
  const auto ticket = std::make_shared<CommitTicket>();
  const bool pushed = queue.push(drop(number), ticket);
  queue.hurry(*ticket, company);
  return pushed;
}

LogLines lines(std::size_t octets) {
  LogLines result;
  result.source = "file:/log";
  result.lines.assign(octets, 'x');
  return result;
}

Clock::time_point soon() {
  return Clock::now() + 10s;
}

TEST(StoreQueueTest, HandsOutInOrderButCapturesBeforeReports) {
  StoreQueue queue(12, 1000);
  EXPECT_TRUE(queue.push_log(lines(3)));
  EXPECT_TRUE(queue.push(drop(1), nullptr));
  EXPECT_TRUE(queue.push(store::QueueReport{}, nullptr));
  EXPECT_TRUE(queue.push(drop(2), nullptr));
  queue.close();
  const auto items = queue.take(10, soon());
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ(std::get<DropCapture>(items[0].operation).ticket, 1U);
  EXPECT_EQ(std::get<DropCapture>(items[1].operation).ticket, 2U);
  EXPECT_TRUE(std::holds_alternative<LogLines>(items[2].operation));
  EXPECT_TRUE(std::holds_alternative<store::QueueReport>(items[3].operation));
}

TEST(StoreQueueTest, NoReportIsTakenWhileCapturesStayBehind) {
  StoreQueue queue(12, 1000);
  EXPECT_TRUE(queue.push_log(lines(3)));
  EXPECT_TRUE(queue.push(drop(1), nullptr));
  EXPECT_TRUE(queue.push(drop(2), nullptr));
  queue.close();
  for (const std::uint64_t expected : {1U, 2U}) {
    const auto items = queue.take(1, soon());
    ASSERT_EQ(items.size(), 1U);
    EXPECT_EQ(std::get<DropCapture>(items[0].operation).ticket, expected);
  }
  EXPECT_TRUE(std::holds_alternative<LogLines>(queue.take(1, soon()).at(0).operation));
}

TEST(StoreQueueTest, ReportsRideAlongOnceTheyHaveWaited) {
  StoreQueue queue(100, 1000);
  const Clock::time_point begun = Clock::now();
  EXPECT_TRUE(queue.push_log(lines(3)));
  EXPECT_TRUE(push_and_wait(queue, 1, 1));
  const std::size_t first = queue.take(10, soon()).size();
  if (Clock::now() - begun < StoreQueue::kLag) {
    EXPECT_EQ(first, 1U);
  }
  std::this_thread::sleep_until(begun + StoreQueue::kLag);
  EXPECT_TRUE(push_and_wait(queue, 2, 1));
  EXPECT_EQ(first + queue.take(10, soon()).size(), 3U);
}

TEST(StoreQueueTest, ReportsAloneAreTakenInTheEnd) {
  StoreQueue queue(100, 1000);
  const Clock::time_point begun = Clock::now();
  EXPECT_TRUE(queue.push_log(lines(3)));
  EXPECT_EQ(queue.take(10, soon()).size(), 1U);
  EXPECT_GE(Clock::now() - begun, 2 * StoreQueue::kLag);
}

TEST(StoreQueueTest, AConfirmationMakesTheQueuedCaptureFinal) {
  StoreQueue queue(100, 1000);
  const auto ticket = std::make_shared<CommitTicket>();
  EXPECT_TRUE(queue.push(provisional(), ticket));
  EXPECT_TRUE(queue.confirm({kQueueId, 1}, *ticket));
  queue.hurry(*ticket, 1);
  const auto items = queue.take(10, soon());
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(std::get<PutCapture>(items[0].operation).capture.stage, store::Stage::final);
}

TEST(StoreQueueTest, AConfirmationFollowsACaptureThatIsGone) {
  StoreQueue queue(100, 1000);
  const auto ticket = std::make_shared<CommitTicket>();
  EXPECT_TRUE(queue.push(provisional(), ticket));
  EXPECT_EQ(queue.take(10, soon()).size(), 1U);
  EXPECT_TRUE(queue.confirm({kQueueId, 1}, *ticket));
  const auto items = queue.take(10, soon());
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(std::get<ConfirmCapture>(items[0].operation).queue_id, kQueueId);
}

TEST(StoreQueueTest, ShedsWhenFullWithoutWaiting) {
  StoreQueue queue(2, 1000);
  EXPECT_TRUE(queue.push(drop(1), nullptr));
  EXPECT_TRUE(queue.push(drop(2), nullptr));
  EXPECT_FALSE(queue.push(drop(3), nullptr));
  EXPECT_EQ(queue.take(1, soon()).size(), 1U);
  EXPECT_TRUE(queue.push(drop(4), nullptr));
}

TEST(StoreQueueTest, LogLinesDoNotCrowdOutCaptures) {
  StoreQueue queue(1, 1000);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(queue.push_log(lines(10)));
  }
  EXPECT_TRUE(queue.push(drop(1), nullptr));
}

TEST(StoreQueueTest, TakeReturnsNothingAtTheDeadline) {
  StoreQueue queue(2, 1000);
  EXPECT_TRUE(queue.take(10, Clock::now() + 5ms).empty());
}

TEST(StoreQueueTest, WhatNobodyWaitsForLingersUntilSomebodyWaits) {
  StoreQueue queue(100, 1000);
  EXPECT_TRUE(queue.push(drop(1), nullptr));
  EXPECT_TRUE(queue.push_log(lines(3)));
  const auto begun = Clock::now();
  std::thread callback([&] { push_and_wait(queue, 2, 1); });
  std::size_t taken = 0;
  while (taken < 3) {
    taken += queue.take(10, soon()).size();
  }
  callback.join();
  EXPECT_TRUE(queue.push(drop(3), nullptr));
  EXPECT_EQ(queue.take(10, soon()).size(), 1U);
  EXPECT_GE(Clock::now() - begun, StoreQueue::kLinger);
}

TEST(StoreQueueTest, WhoeverIsAloneIsNotMadeToWaitForCompany) {
  StoreQueue queue(100, 1000, 1h);
  EXPECT_TRUE(push_and_wait(queue, 1, 1));
  const Clock::time_point begun = Clock::now();
  EXPECT_EQ(queue.take(10, soon()).size(), 1U);
  EXPECT_LT(Clock::now() - begun, 5s);
}

TEST(StoreQueueTest, NobodyWaitsOnceEverybodyIsThere) {
  StoreQueue queue(100, 1000, 1h);
  const Clock::time_point begun = Clock::now();
  EXPECT_TRUE(push_and_wait(queue, 1, 2));
  EXPECT_TRUE(push_and_wait(queue, 2, 2));
  EXPECT_EQ(queue.take(10, soon()).size(), 2U);
  EXPECT_LT(Clock::now() - begun, 5s);
}

TEST(StoreQueueTest, MessagesUnderWayAreWaitedForBriefly) {
  StoreQueue queue(100, 1000, 5ms);
  const Clock::time_point begun = Clock::now();
  EXPECT_TRUE(push_and_wait(queue, 1, 3));
  EXPECT_TRUE(push_and_wait(queue, 2, 3));
  EXPECT_EQ(queue.take(10, soon()).size(), 2U);
  EXPECT_GE(Clock::now() - begun, 5ms);
}

TEST(StoreQueueTest, ATicketIsInNoHurryUntilSomebodyWaitsForIt) {
  StoreQueue queue(100, 1000, 0ms);
  const auto begun = Clock::now();
  EXPECT_TRUE(queue.push(drop(1), std::make_shared<CommitTicket>()));
  EXPECT_TRUE(queue.push(drop(2), std::make_shared<CommitTicket>()));
  EXPECT_EQ(queue.take(10, soon()).size(), 2U);
  EXPECT_GE(Clock::now() - begun, StoreQueue::kLinger);
}

TEST(StoreQueueTest, ATicketWhoseCommitIsUnderWayHurriesNobody) {
  StoreQueue queue(100, 1000);
  const auto early = std::make_shared<CommitTicket>();
  EXPECT_TRUE(queue.push(drop(1), early));
  EXPECT_EQ(queue.take(10, soon()).size(), 1U);
  const auto begun = Clock::now();
  EXPECT_TRUE(queue.push(drop(2), nullptr));
  queue.hurry(*early, 1);
  EXPECT_EQ(queue.take(10, soon()).size(), 1U);
  EXPECT_GE(Clock::now() - begun, StoreQueue::kLinger);
}

// The consumer sleeps for long when nothing is queued, and must not sleep through what comes then.
TEST(StoreQueueTest, WhateverComesWakesASleepingConsumer) {
  StoreQueue queue(100, 1000);
  const std::array<std::function<void()>, 4> producers{
      [&] { EXPECT_TRUE(push_and_wait(queue, 1, 1)); },
      [&] { EXPECT_TRUE(push_and_wait(queue, 2, 9)); },
      [&] { EXPECT_TRUE(queue.push(drop(3), nullptr)); },
      [&] { EXPECT_TRUE(queue.push_log(lines(3))); },
  };
  for (const auto& produce : producers) {
    const Clock::time_point begun = Clock::now();
    std::thread producer([&] {
      std::this_thread::sleep_for(5ms);
      produce();
    });
    EXPECT_EQ(queue.take(10, begun + 1h).size(), 1U);
    EXPECT_LT(Clock::now() - begun, 5s);
    producer.join();
  }
}

// Woken, it would come back with the capture alone, before the report may ride along. On a slow
// machine the capture may come before the consumer sleeps, or late; so it is tried a few times.
TEST(StoreQueueTest, AConsumerThatWakesSoonIsNotWokenForWhatNobodyWaitsFor) {
  bool together = false;
  for (int i = 0; i < 20 && !together; ++i) {
    StoreQueue queue(100, 1000);
    const Clock::time_point begun = Clock::now();
    EXPECT_TRUE(queue.push_log(lines(3)));
    Clock::time_point pushed;
    std::thread producer([&] {
      std::this_thread::sleep_for(5ms);
      EXPECT_TRUE(queue.push(drop(1), nullptr));
      pushed = Clock::now();
    });
    const std::size_t first = queue.take(10, soon()).size();
    producer.join();
    together = first == 2 && pushed + StoreQueue::kLinger < begun + StoreQueue::kLag;
  }
  EXPECT_TRUE(together);
}

TEST(StoreQueueTest, DrainsAfterClose) {
  StoreQueue queue(10, 1000);
  EXPECT_TRUE(queue.push(drop(1), nullptr));
  queue.close();
  EXPECT_FALSE(queue.push(drop(2), nullptr));
  EXPECT_FALSE(queue.push_log(lines(1)));
  EXPECT_EQ(queue.take(10, soon()).size(), 1U);
  EXPECT_TRUE(queue.take(10, soon()).empty());  // at once
}

TEST(StoreQueueTest, FollowerWaitsForRoomAndCloseReleasesIt) {
  StoreQueue queue(10, 100);
  EXPECT_TRUE(queue.push_log(lines(500)));  // larger than the bound, but alone
  std::atomic<int> pushed{0};
  std::thread follower([&] {
    while (queue.push_log(lines(60))) {
      ++pushed;
    }
  });
  EXPECT_EQ(queue.take(1, soon()).size(), 1U);
  while (pushed < 1) {
    std::this_thread::yield();
  }
  EXPECT_EQ(queue.take(1, soon()).size(), 1U);
  while (pushed < 2) {
    std::this_thread::yield();
  }
  queue.close();
  follower.join();
  EXPECT_EQ(pushed, 2);
}

TEST(StoreQueueTest, ManyProducersLoseNothingAndKeepTheirOwnOrder) {
  constexpr std::uint64_t kProducers = 8;
  constexpr std::uint64_t kEach = 2000;
  StoreQueue queue(64, 1000);
  std::atomic<std::uint64_t> committed{0};
  std::vector<std::thread> producers;
  for (std::uint64_t p = 0; p < kProducers; ++p) {
    producers.emplace_back([&, p] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const auto ticket = std::make_shared<CommitTicket>();
        while (!queue.push(drop(p * kEach + i), ticket)) {
          std::this_thread::yield();
        }
        queue.hurry(*ticket, 1);
        if (i % 16 == 0 && ticket->wait_until(soon()) == CommitResult::committed) {
          ++committed;
        }
      }
    });
  }
  std::map<std::uint64_t, std::uint64_t> next;
  std::uint64_t seen = 0;
  while (seen < kProducers * kEach) {
    for (const StoreQueue::Item& item : queue.take(100, soon())) {
      const std::uint64_t number = std::get<DropCapture>(item.operation).ticket;
      EXPECT_EQ(number % kEach, next[number / kEach]++);
      item.ticket->complete(CommitResult::committed);
      ++seen;
    }
  }
  for (std::thread& producer : producers) {
    producer.join();
  }
  EXPECT_EQ(committed, kProducers * kEach / 16);
}

TEST(CommitTicketTest, WaitEndsAtTheDeadlineAndTheWriterMayCompleteLater) {
  auto ticket = std::make_shared<CommitTicket>();
  EXPECT_EQ(ticket->wait_until(Clock::now() + 5ms), std::nullopt);
  std::thread writer([ticket] { ticket->complete(CommitResult::failed); });
  ticket.reset();
  writer.join();
}

TEST(CommitTicketTest, TheFirstResultCounts) {
  CommitTicket ticket;
  ticket.complete(CommitResult::failed);
  ticket.complete(CommitResult::committed);
  EXPECT_EQ(ticket.wait_until(Clock::now()), CommitResult::failed);
}

}  // namespace
}  // namespace mtrk

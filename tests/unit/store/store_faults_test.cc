// The store when things break: killed writers, other writers, no room.
#include "common/store/store_error.h"
#include "common/store/tracking_writer.h"
#include "tests/unit/store/store_fixture.h"

#include <gmock/gmock.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <random>
#include <thread>

namespace mtrk::store {
namespace {

using testing::SizeIs;

using StoreFaultsTest = StoreTest;

std::string queue_id_of(std::uint32_t number) {
  return "ABCDEF" + std::to_string(100000 + number);
}
std::string id_of(std::uint32_t number) {
  return std::to_string(number) + "@example.net";
}

// Runs `body` in a child; its exit code.
int in_child(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      body();
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST_F(StoreFaultsTest, NoAcknowledgedCaptureIsLostToKill9) {  // THR-L1, THR-A1
  constexpr int kRounds = 30;
  writer_.reset();
  std::minstd_rand random(1);
  std::uint32_t next = 0;
  std::vector<std::uint32_t> acknowledged;
  for (int round = 0; round < kRounds; ++round) {
    int acks[2];
    ASSERT_EQ(::pipe(acks), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      TrackingWriter writer(options(), Create::if_missing);
      for (std::uint32_t number = next;; number += 3) {
        writer.begin();
        for (std::uint32_t i = number; i < number + 3; ++i) {
          static_cast<void>(
              writer.put_capture(capture(queue_id_of(i), id_of(i), {"a@b.test"}, Stage::final, i)));
        }
        writer.commit();
        static_cast<void>(!::write(acks[1], &number, sizeof(number)));
      }
    }
    ::close(acks[1]);
    std::uint32_t number = 0;
    const std::uint64_t enough = 1 + random() % 20;
    for (std::uint64_t i = 0; i < enough; ++i) {
      if (::read(acks[0], &number, sizeof(number)) == sizeof(number)) {
        acknowledged.push_back(number);
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));  // mid-write
    ::kill(child, SIGKILL);
    while (::read(acks[0], &number, sizeof(number)) == sizeof(number)) {
      acknowledged.push_back(number);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ::close(acks[0]);
    next = acknowledged.back() + 6;
  }
  open();
  const TrackingReader reader(options().path);
  for (const std::uint32_t first : acknowledged) {
    for (std::uint32_t i = first; i < first + 3; ++i) {
      ASSERT_THAT(reader.find(envid(id_of(i)), certifier(), kNow).messages, SizeIs(1)) << i;
    }
  }
  EXPECT_GT(acknowledged.size(), 30U);
}

TEST_F(StoreFaultsTest, BatchOfAnotherProcessIsNoticed) {
  put(capture("4dCXzt0Cvjz5Z", "mine@example.net", {"a@b.test"}));
  EXPECT_EQ(in_child([this] {
              TrackingWriter other(options(), Create::never);
              other.begin();
              static_cast<void>(
                  other.put_capture(capture("4dCXzt0CvjzAA", "other@example.net", {"c@d.test"})));
              static_cast<void>(other.apply(attempt("4dCXzt0Cvjz5Z", "a@b.test", "deferred")));
              other.commit();
            }),
            0);
  writer_->begin();
  EXPECT_TRUE(writer_->apply(attempt("4dCXzt0CvjzAA", "c@d.test", "sent")));
  EXPECT_TRUE(writer_->apply(attempt("4dCXzt0Cvjz5Z", "a@b.test", "sent", Seconds(8))));
  writer_->put_capture(capture("4dCXzt0CvjzBB", "third@example.net"));
  writer_->commit();
  EXPECT_THAT(actions("other@example.net"), testing::ElementsAre(Action::relayed));
  EXPECT_THAT(actions("mine@example.net"), testing::ElementsAre(Action::relayed));
  EXPECT_EQ(writer_->stats().messages, 3U);
}

class SmallStoreTest : public StoreTest {
 protected:
  void SetUp() override {
    WriterOptions small = options();
    small.max_size = 2 * kMiB;
    writer_.emplace(small, Create::if_missing);
  }
  // Captures one batch after the other until one is shed; how many were stored.
  std::uint32_t fill(std::uint32_t first, std::uint32_t batch) {
    for (std::uint32_t number = first;;) {
      writer_->begin();
      for (std::uint32_t i = 0; i < batch; ++i, ++number) {
        Capture made =
            capture(queue_id_of(number), id_of(number), {"a@b.test"}, Stage::final, number);
        made.timeout = Seconds(100);
        if (writer_->put_capture(made) == Kept::store_full) {
          writer_->commit();
          return number - first;
        }
      }
      writer_->commit();
    }
  }
};

TEST_F(SmallStoreTest, FullStoreShedsCapturesAndGoesOnWhenExpiryFreedRoom) {  // THR-L4
  const std::uint32_t stored = fill(0, 20);
  EXPECT_GT(stored, 500U);
  // Log events and expiry still have room, for all that is there.
  for (std::uint32_t i = 0; i < stored; i += 50) {
    writer_->begin();
    for (std::uint32_t j = i; j < std::min(i + 50, stored); ++j) {
      EXPECT_TRUE(writer_->apply(attempt(queue_id_of(j), "a@b.test", "sent")));
      EXPECT_TRUE(writer_->apply(removed(queue_id_of(j))));
    }
    writer_->commit();
  }
  EXPECT_THAT(actions(id_of(stored - 1)), testing::ElementsAre(Action::relayed));
  for (int i = 0; i < 200 && writer_->stats().messages != 0; ++i) {
    sweep(kNow + kDay, 50);
  }
  EXPECT_EQ(writer_->stats().messages, 0U);
  EXPECT_GT(fill(1000000, 20), stored / 2);
}

TEST_F(SmallStoreTest, OneHugeBatchIsShedNotBroken) {
  EXPECT_GT(fill(0, 1000000), 100U);
  EXPECT_GT(writer_->stats().messages, 100U);
}

// The disk, not the map: a limit on the file size stands in for a full disk (EFBIG for ENOSPC).
TEST_F(StoreFaultsTest, FailedCommitLeavesWhatWasThereAndTheStoreUsable) {  // THR-L5
  put(capture("4dCXzt0Cvjz5Z", "early@example.net"));
  const auto size = std::filesystem::file_size(options().path + "/data.mdb");
  ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const struct rlimit tight { size, before.rlim_max };
  ::setrlimit(RLIMIT_FSIZE, &tight);
  writer_->begin();
  for (std::uint32_t i = 0; i < 500; ++i) {
    writer_->put_capture(capture(queue_id_of(i), id_of(i)));
  }
  EXPECT_THROW(writer_->commit(), StoreError);
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(writer_->in_batch());
  EXPECT_THAT(find("early@example.net"), SizeIs(1));
  EXPECT_THAT(find(id_of(1)), SizeIs(0));
  put(capture("4dCXzt0CvjzAA", "late@example.net"));
  EXPECT_THAT(find("late@example.net"), SizeIs(1));
}

}  // namespace
}  // namespace mtrk::store

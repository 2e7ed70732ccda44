#pragma once

#include "milter/capture/glue.h"
#include "tests/support/mini_milter_client.h"
#include "tests/support/scratch_directory.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// This header runs the callbacks of mtrk-milter on a real libmilter, with a replacement for the
// store.
namespace mtrk::test {

inline constexpr char kFold[] = ";MTRK:VheLhqV/rCKJmplkGFwsyW59pYk";
inline constexpr Milliseconds kCommitWait{300};

// A RecordingSink takes the place of the store.
class RecordingSink : public CaptureSink {
 public:
  enum class Mood { commit, fail, silent, full, throw_error, out_of_memory };

  bool put(store::Capture capture, std::shared_ptr<CommitTicket> ticket) override {
    switch (mood.load()) {
      case Mood::throw_error:
        throw std::runtime_error("broken");
      case Mood::out_of_memory:
        throw std::bad_alloc();
      case Mood::full:
        return false;
      case Mood::commit:
      case Mood::fail:
        if (ticket) {
          ticket->complete(mood == Mood::commit ? CommitResult::committed : CommitResult::failed);
        }
        break;
      case Mood::silent:
        break;
    }
    const std::lock_guard lock(mutex_);
    captures_.push_back(std::move(capture));
    changed_.notify_all();
    return true;
  }
  bool confirm(ConfirmCapture confirmation, CommitTicket& /*ticket*/) override {
    if (mood == Mood::throw_error) {
      throw std::runtime_error("broken");
    }
    const std::lock_guard lock(mutex_);
    if (mood == Mood::full) {
      return false;
    }
    confirmed_.emplace_back(std::move(confirmation.queue_id), confirmation.ticket);
    return true;
  }
  void hurry(CommitTicket& /*ticket*/, std::size_t company) override { EXPECT_GE(company, 1U); }
  bool drop(std::string queue_id, std::uint64_t /*ticket*/) override {
    if (mood == Mood::throw_error) {
      throw std::runtime_error("broken");
    }
    const std::lock_guard lock(mutex_);
    dropped_.push_back(std::move(queue_id));
    changed_.notify_all();
    return true;
  }

  void reset() {
    const std::lock_guard lock(mutex_);
    mood = Mood::commit;
    captures_.clear();
    confirmed_.clear();
    dropped_.clear();
  }
  std::vector<std::pair<std::string, std::uint64_t>> confirmed() {
    const std::lock_guard lock(mutex_);
    return confirmed_;
  }
  std::vector<store::Capture> captures() {
    const std::lock_guard lock(mutex_);
    return captures_;
  }
  void await_captures(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(10),
                                  [&] { return captures_.size() >= count; }));
  }
  // Waits, because aborts have no answer.
  std::vector<std::string> await_dropped(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return dropped_.size() >= count; });
    return dropped_;
  }

  std::atomic<Mood> mood{Mood::commit};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<store::Capture> captures_;
  std::vector<std::pair<std::string, std::uint64_t>> confirmed_;
  std::vector<std::string> dropped_;
};

// libmilter can run only once in a process, so one milter serves all tests here on its real thread
// pool.
class RunningMilter {
 public:
  static RunningMilter& get() {
    // The directory is removed at exit, together with the milter's threads.
    static const test::ScratchDirectory directory;
    static RunningMilter& milter = *new RunningMilter(directory.path("m.sock"));
    return milter;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

  RecordingSink sink;
  Counters counters;
  CircuitBreaker& breaker() { return *breaker_; }

 private:
  explicit RunningMilter(std::string path) : path_(std::move(path)), breaker_(new CircuitBreaker) {
    milter_glue::Options options;
    options.hostname = "mx.example.test";
    options.commit_wait = kCommitWait;
    milter_glue::open(options, {sink, *breaker_, counters}, "unix:" + path_);
    std::thread([] { milter_glue::run(); }).detach();
  }

  std::string path_;
  CircuitBreaker* breaker_;
};

class MilterGlueTest : public testing::Test {
 protected:
  MilterGlueTest() {
    milter_.sink.reset();
    close_breaker();
  }
  // Opens and closes the breaker, whatever state the previous test left.
  void close_breaker() {
    CircuitBreaker& breaker = milter_.breaker();
    breaker.committed(CircuitBreaker::Clock::now() - std::chrono::seconds(20),
                      std::chrono::milliseconds(1));
    ASSERT_TRUE(breaker.allows_wait(CircuitBreaker::Clock::now()));
    breaker.wait_succeeded();
  }
  MiniMilterClient client() { return MiniMilterClient(milter_.path()); }
  static std::vector<std::string> tracked(const std::string& envid = "id@a.test") {
    return {"<s@a.test>", "RET=HDRS", "ENVID=" + envid + kFold};
  }
  // Sends a message from MAIL to the end of message, with the macros at DATA only, as the milter
  // requests. Returns the last answer.
  static char send(MiniMilterClient& mta, const std::string& queue_id) {
    EXPECT_EQ(mta.mail(tracked()), 'c');
    EXPECT_EQ(mta.rcpt({"<bob@b.test>"}), 'c');
    EXPECT_EQ(mta.data(queue_id), 'c');
    return mta.end_of_message();
  }
  static void expect_restored(const MiniMilterClient& mta) {
    ASSERT_EQ(mta.changes().size(), 1U);
    EXPECT_EQ(mta.changes()[0], MiniMilterClient::join({"<s@a.test>", "ENVID=id@a.test RET=HDRS"}));
  }

  RunningMilter& milter_ = RunningMilter::get();
};

}  // namespace mtrk::test

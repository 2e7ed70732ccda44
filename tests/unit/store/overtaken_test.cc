// Readers take no locks: what they read while the writer goes on is right, or not counted.
#include "common/store/lmdb.h"
#include "common/store/store_error.h"
#include "common/store/tracking_reader.h"
#include "common/store/tracking_writer.h"
#include "tests/unit/store/store_fixture.h"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace mtrk::store {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr int kKept = 500;

std::string kept_id(int number) {
  return "m" + std::to_string(number) + "@example.net";
}
std::string kept_queue_id(int number) {
  return "4dCXzt" + std::to_string(100000 + number);
}
std::string kept_recipient(int number) {
  return "user" + std::to_string(number) + "@example.net";
}

// The store's writer in a process of its own, as in life: it makes commits when told to.
class OvertakenTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    writer_->begin();
    for (int i = 0; i < kKept; ++i) {
      writer_->put_capture(capture(kept_queue_id(i), kept_id(i), {kept_recipient(i)}, Stage::final,
                                   static_cast<std::uint64_t>(i)));
    }
    writer_->commit();
    writer_.reset();
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0);
    child_ = ::fork();
    if (child_ == 0) {
      ::alarm(120);
      ::close(ends_[0]);
      ::_exit(serve());
    }
    ::close(ends_[1]);
  }
  void TearDown() override {
    ::close(ends_[0]);
    int status = -1;
    ::waitpid(child_, &status, 0);
    EXPECT_EQ(status, 0);
  }

  // Each commit changes messages everywhere, so that most pages of the store are written anew.
  void commit(int times) {
    for (int i = 0; i < times; ++i) {
      char done = 0;
      ASSERT_EQ(::write(ends_[0], "c", 1), 1);
      ASSERT_EQ(::read(ends_[0], &done, 1), 1);
    }
  }
  // Commits one after the other until the next commit().
  void go_on() { ASSERT_EQ(::write(ends_[0], "g", 1), 1); }

  [[nodiscard]] std::string path() const { return options().path; }
  static bool is_right(std::span<const MessageView> found, int number) {
    return found.size() == 1 && found[0].recipients.size() == 1 &&
           found[0].recipients[0].final.value == kept_recipient(number);
  }

 private:
  int serve() {
    TrackingWriter writer(options(), Create::never);
    bool going = false;
    for (int round = 0;; ++round) {
      char command = 0;
      const ssize_t got = ::recv(ends_[1], &command, 1, going ? MSG_DONTWAIT : 0);
      if (got == 0) {
        return 0;
      }
      going = got == 1 ? command == 'g' : going;
      writer.begin();
      const int step = going ? 25 : 3;  // the more, the more pages; the fewer, the more commits
      for (int i = round % step; i < kKept; i += step) {
        static_cast<void>(writer.apply(
            attempt(kept_queue_id(i), kept_recipient(i), "deferred", Seconds(5 + round))));
      }
      writer.commit();
      if (got == 1 && command == 'c') {
        static_cast<void>(!::write(ends_[1], "d", 1));
      }
    }
  }

  int ends_[2]{};
  pid_t child_ = -1;
};

TEST_F(OvertakenTest, ASnapshotCountsUntilTheSecondCommitAfterIt) {
  const TrackingReader reader(path());
  for (int commits = 0; commits < 6; ++commits) {
    TrackingReader::Snapshot snapshot = reader.snapshot();
    const auto found = snapshot.find(envid(kept_id(7)), certifier(), kNow);
    ASSERT_TRUE(is_right(found.messages, 7));
    commit(commits);
    if (commits < 2) {
      EXPECT_NO_THROW(snapshot.confirm()) << commits;
      EXPECT_TRUE(is_right(found.messages, 7)) << commits;
    } else {
      EXPECT_THROW(snapshot.confirm(), StoreOvertaken) << commits;
    }
  }
  EXPECT_TRUE(reader.find(envid(kept_id(7)), certifier(), kNow).messages.size() == 1);
}

TEST_F(OvertakenTest, ThatNothingWasFoundIsConfirmedLikewise) {
  const TrackingReader reader(path());
  TrackingReader::Snapshot snapshot = reader.snapshot();
  EXPECT_TRUE(snapshot.find(envid("no@example.net"), certifier(), kNow).messages.empty());
  commit(3);
  EXPECT_THROW(snapshot.confirm(), StoreOvertaken);
}

// In a snapshot that has been overtaken anything may be found, and nobody dies of it.
TEST_F(OvertakenTest, ReadingOnInASnapshotThatIsGoneEndsInAnErrorOrIsNotConfirmed) {
  const TrackingReader reader(path());
  int changed = 0;
  for (int round = 0; round < 6; ++round) {
    TrackingReader::Snapshot snapshot = reader.snapshot();
    commit(3 + round);
    for (int i = 0; i < kKept; ++i) {
      bool right = false;
      try {
        right = is_right(snapshot.find(envid(kept_id(i)), certifier(), kNow).messages, i);
      } catch (const StoreOvertaken&) {
      }
      changed += right ? 0 : 1;
      EXPECT_THROW(snapshot.confirm(), StoreOvertaken);
    }
  }
  EXPECT_GT(changed, 0) << "no page was ever used again: this proves nothing";
}

TEST_F(OvertakenTest, WhileTheWriterNeverRestsEachAnswerThatCountsIsRight) {
  const TrackingReader reader(path());
  std::atomic<int> answers{0};
  std::atomic<int> overtaken{0};
  std::atomic<int> wrong{0};
  go_on();
  const auto end = steady_clock::now() + std::chrono::seconds(3);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      unsigned number = static_cast<unsigned>(t);
      while (steady_clock::now() < end) {
        number = number * 1103515245U + 12345U;
        const int i = static_cast<int>(number >> 16) % kKept;
        try {
          TrackingReader::Snapshot snapshot = reader.snapshot();
          if (number % 16 == 0) {  // one that is held up
            std::this_thread::sleep_for(std::chrono::milliseconds(number / 16 % 60));
          }
          const auto found = snapshot.find(envid(kept_id(i)), certifier(), kNow);
          const bool right = is_right(found.messages, i);
          snapshot.confirm();
          ++answers;
          wrong += right ? 0 : 1;
        } catch (const StoreOvertaken&) {
          ++overtaken;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  commit(1);
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(answers, 100);
  EXPECT_GT(overtaken, 0) << "nothing was ever overtaken: this proves nothing";
}

TEST_F(OvertakenTest, AReaderThatIsStoppedKeepsNoPages) {
  commit(20);
  const auto before = fs::file_size(path() + "/data.mdb");
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t stopped = ::fork();
  if (stopped == 0) {
    const TrackingReader reader(path());
    const TrackingReader::Snapshot snapshot = reader.snapshot();
    static_cast<void>(!::write(ready[1], "x", 1));
    ::raise(SIGSTOP);
    ::_exit(0);
  }
  char go = 0;
  ASSERT_EQ(::read(ready[0], &go, 1), 1);
  commit(60);
  EXPECT_LE(fs::file_size(path() + "/data.mdb"), before + 64 * 1024);
  ::kill(stopped, SIGKILL);
  ::waitpid(stopped, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(OvertakenTest, TheCheckOfAStoreIsNotOvertaken) {
  const auto env = Env::open(path(), Env::Access::read_as_owner, 0, Env::Missing::fail);
  const ReadTxn txn(*env);
  commit(5);
  EXPECT_FALSE(txn.overtaken());
}

TEST_F(OvertakenTest, AReaderWritesNothing) {
  commit(1);
  for (const char* const name : {"/data.mdb", "/lock.mdb"}) {
    fs::permissions(path() + name, fs::perms::owner_read);
  }
  fs::permissions(path(), fs::perms::owner_read | fs::perms::owner_exec);
  const auto stamp = fs::last_write_time(path() + "/lock.mdb");
  {
    const TrackingReader reader(path());
    EXPECT_EQ(reader.find(envid(kept_id(3)), certifier(), kNow).messages.size(), 1U);
    EXPECT_EQ(reader.stats().messages, static_cast<std::uint64_t>(kKept));
  }
  EXPECT_EQ(fs::last_write_time(path() + "/lock.mdb"), stamp);
  fs::permissions(path(), fs::perms::owner_all);
}

// Which takes no more than the right to read it.
TEST_F(OvertakenTest, WhoLocksTheDataHoldsUpNoWriter) {
  const int data = ::open((path() + "/data.mdb").c_str(), O_RDONLY | O_CLOEXEC);
  struct flock whole {};
  whole.l_type = F_RDLCK;
  whole.l_whence = SEEK_SET;
  ASSERT_EQ(::fcntl(data, F_OFD_SETLK, &whole), 0);
  commit(1);
  ::close(data);
}

// From the releases in which readers took locks.
TEST_F(OvertakenTest, ALockFileThatOthersMayWriteToIsMadeAnew) {
  const TempFolder other;
  const std::string store = other.path() + "/store";
  WriterOptions wanted = options();
  wanted.path = store;
  { const TrackingWriter made(wanted, Create::if_missing); }
  fs::permissions(store + "/lock.mdb", fs::perms(0660));
  struct stat before {};
  const int held = ::open((store + "/lock.mdb").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::fstat(held, &before), 0);
  const TrackingWriter writer(wanted, Create::never);
  struct stat after {};
  ASSERT_EQ(::stat((store + "/lock.mdb").c_str(), &after), 0);
  EXPECT_EQ(after.st_mode & 07777, 0600U);
  EXPECT_NE(after.st_ino, before.st_ino);
  ::close(held);
}

}  // namespace
}  // namespace mtrk::store

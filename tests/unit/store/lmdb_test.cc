#include "common/store/lmdb.h"

#include "common/base/exit_code.h"
#include "tests/unit/store/store_fixture.h"

#include <gmock/gmock.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <set>

namespace mtrk::store {
namespace {

class LmdbTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::shared_ptr<Env> open(Env::Access access, std::uint64_t map_size = 4 * kMiB) {
    return Env::open(path_, access, map_size, Env::Missing::create);
  }
  TempFolder folder_;
  std::string path_ = folder_.path() + "/store";
};

// Runs `body` in a child process and kills it, once it said that it is ready, with SIGKILL.
void kill_when_ready(const std::function<void()>& body) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    static_cast<void>(!::write(ready[1], "r", 1));
    ::pause();
    ::_exit(0);
  }
  char octet = 0;
  ASSERT_EQ(::read(ready[0], &octet, 1), 1);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

int code_of(const std::function<void()>& open) {
  try {
    open();
  } catch (const StoreUnusable& error) {
    return error.exit_code();
  }
  return 0;
}

TEST(FileSystemTest, NetworkOnesAreRefusedLocalOnesAreNot) {  // THR-L10
  for (const std::uint64_t magic : {0x6969UL, 0xFF534D42UL, 0xFE534D42UL, 0x517BUL, 0x65735546UL,
                                    0xFFFFFFFFFF534D42UL /* sign-extended CIFS */}) {
    EXPECT_TRUE(is_network_file_system(magic)) << std::hex << magic;
  }
  // ext4, XFS, btrfs, tmpfs, overlayfs, ZFS
  for (const std::uint64_t magic :
       {0xEF53UL, 0x58465342UL, 0x9123683EUL, 0x01021994UL, 0x794C7630UL, 0x2FC12FC1UL}) {
    EXPECT_FALSE(is_network_file_system(magic)) << std::hex << magic;
  }
}

TEST_F(LmdbTest, FilesHaveTheModesThatReadersNeedAndNoMore) {  // THR-L13
  const mode_t before = ::umask(077);
  const auto env = open(Env::Access::read_write);
  ::umask(before);
  struct stat file {};
  ASSERT_EQ(::stat((path_ + "/data.mdb").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, 0640U);
  ASSERT_EQ(::stat((path_ + "/lock.mdb").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, 0600U);
  ASSERT_EQ(::stat(path_.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, 02750U);
}

TEST_F(LmdbTest, OneProcessHasOneEnvironment) {  // THR-L12
  const auto writer = open(Env::Access::read_write);
  EXPECT_EQ(open(Env::Access::read_only), writer);
  EXPECT_THROW(static_cast<void>(open(Env::Access::read_write)), StoreUnusable);
  writer->end_writing();
  EXPECT_EQ(open(Env::Access::read_write), writer);
}

TEST_F(LmdbTest, WriterIsRefusedBesideAReadOnlyEnvironment) {
  open(Env::Access::read_write).reset();
  const auto reader = open(Env::Access::read_only);
  EXPECT_EQ(open(Env::Access::read_only), reader);
  EXPECT_THROW(static_cast<void>(open(Env::Access::read_write)), StoreUnusable);
}

TEST_F(LmdbTest, WhatCannotBeMadeSaysSo) {
  const auto make = [](const std::string& path) {
    return code_of([&] {
      static_cast<void>(Env::open(path, Env::Access::read_write, 4 * kMiB, Env::Missing::create));
    });
  };
  EXPECT_EQ(make(folder_.path() + "/no/parent"), exit_code::cant_create);
  std::ofstream(folder_.path() + "/file") << "x";
  EXPECT_EQ(make(folder_.path() + "/file"), exit_code::cant_create);
  EXPECT_EQ(code_of([&] {
              static_cast<void>(Env::open(folder_.path() + "/nowhere", Env::Access::read_write,
                                          4 * kMiB, Env::Missing::fail));
            }),
            exit_code::no_input);
}

TEST_F(LmdbTest, LargerMapOfAnotherProcessIsAdopted) {  // THR-L7
  open(Env::Access::read_write, kMiB).reset();
  const auto reader = open(Env::Access::read_only);
  ReadTxn parked(*reader);
  parked.park();
  kill_when_ready([this] {
    const auto writer = open(Env::Access::read_write, 16 * kMiB);
    WriteTxn txn(*writer);
    const Dbi dbi = txn.make_database("x");
    for (int i = 0; i < 3000; ++i) {
      txn.put(dbi, std::to_string(i), std::string(1500, 'x'));
    }
    txn.commit();
  });
  parked.renew();
  const std::optional<Dbi> dbi = parked.find_database("x");
  ASSERT_TRUE(dbi);
  EXPECT_EQ(parked.entries(*dbi), 3000U);
  EXPECT_EQ(reader->pages().map, 16 * kMiB / reader->pages().size);
}

std::uint64_t size_of_data(const std::string& path) {
  struct stat data {};
  EXPECT_EQ(::stat((path + "/data.mdb").c_str(), &data), 0);
  return static_cast<std::uint64_t>(data.st_size);
}

TEST_F(LmdbTest, FileGrowsAheadOfSmallCommitsInFewSteps) {
  const auto env = open(Env::Access::read_write, 64 * kMiB);
  std::set<std::uint64_t> sizes;
  for (int i = 0; i < 1000; ++i) {
    WriteTxn txn(*env);
    env->grow_ahead();
    txn.put(txn.make_database("x"), std::to_string(i), std::string(1500, 'x'));
    txn.commit();
    const Env::Pages pages = env->pages();
    EXPECT_GE(size_of_data(path_), pages.high_mark * pages.size);
    sizes.insert(size_of_data(path_));
  }
  EXPECT_LE(sizes.size(), 10U);
  ReadTxn all(*env);
  EXPECT_EQ(all.entries(*all.find_database("x")), 1000U);
}

TEST_F(LmdbTest, FileGrowsAheadOnlyAsFarAsTheMap) {
  const auto env = open(Env::Access::read_write, 512 * 1024);
  WriteTxn txn(*env);
  env->grow_ahead();
  EXPECT_EQ(size_of_data(path_), 512 * 1024U);
}

TEST_F(LmdbTest, GrowingAheadKeepsWhatAnotherProcessHasWritten) {
  const auto write = [](Env& env, const char* name) {
    WriteTxn txn(env);
    env.grow_ahead();
    const Dbi dbi = txn.make_database(name);
    for (int i = 0; i < 1000; ++i) {
      txn.put(dbi, std::to_string(i), std::string(1500, *name));
    }
    txn.commit();
  };
  const auto env = open(Env::Access::read_write, 64 * kMiB);
  write(*env, "a");  // has seen the file's end
  const pid_t child = ::fork();
  if (child == 0) {
    write(*open(Env::Access::read_write, 64 * kMiB), "b");
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  write(*env, "c");
  ReadTxn all(*env);
  for (const char* name : {"a", "b", "c"}) {
    const std::optional<Dbi> dbi = all.find_database(name);
    ASSERT_TRUE(dbi) << name;
    EXPECT_EQ(all.entries(*dbi), 1000U) << name;
    for (int i = 0; i < 1000; ++i) {
      ASSERT_EQ(all.get(*dbi, std::to_string(i)), std::string(1500, *name)) << name << i;
    }
  }
}

TEST_F(LmdbTest, SlotsOfKilledReadersAreFreed) {  // THR-L2
  const auto writer = open(Env::Access::read_write);
  kill_when_ready([this] {
    static std::shared_ptr<Env> env = open(Env::Access::read_as_owner);
    static ReadTxn pinned(*env);
  });
  EXPECT_EQ(writer->check_readers(), 1U);
  EXPECT_EQ(writer->check_readers(), 0U);
}

TEST_F(LmdbTest, FreePagesAreCounted) {
  const auto env = open(Env::Access::read_write);
  const auto change = [&](const std::function<void(WriteTxn&, Dbi)>& what) {
    WriteTxn txn(*env);
    what(txn, txn.make_database("x"));
    txn.commit();
  };
  change([](WriteTxn& txn, Dbi dbi) {
    for (int i = 0; i < 100; ++i) {
      txn.put(dbi, std::to_string(i), std::string(3000, 'x'));
    }
  });
  const std::uint64_t before = env->count_free_pages();
  change([](WriteTxn& txn, Dbi dbi) {
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(txn.erase(dbi, std::to_string(i)));
    }
    EXPECT_FALSE(txn.erase(dbi, "0"));
  });
  EXPECT_GE(env->count_free_pages(), before + 90);
  EXPECT_TRUE(env->has_sound_free_list());
}

TEST_F(LmdbTest, FullMapIsAnErrorThatSaysFull) {
  const auto env = open(Env::Access::read_write, kMiB);
  WriteTxn txn(*env);
  const Dbi dbi = txn.make_database("x");
  try {
    for (int i = 0;; ++i) {
      txn.put(dbi, std::to_string(i), std::string(3000, 'x'));
    }
  } catch (const StoreError& error) {
    EXPECT_TRUE(is_full(error));
  }
}

}  // namespace
}  // namespace mtrk::store

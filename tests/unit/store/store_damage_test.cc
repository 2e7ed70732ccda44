// Whatever becomes of the files of a store: a reader lives on and answers nothing wrong, a writer
// commits nothing into the void.
#include "common/base/unique_fd.h"
#include "common/store/lmdb.h"
#include "common/store/store_error.h"
#include "common/store/store_files.h"
#include "common/store/tracking_reader.h"
#include "common/store/tracking_writer.h"
#include "tests/unit/store/store_fixture.h"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>

namespace mtrk::store {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr int kMessages = 2000;

std::string id_at(int number) {
  return "m" + std::to_string(number) + "@example.net";
}

// How `body` ended in a process of its own: 0 if it returned true.
int apart(const std::function<bool()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    bool good = false;
    try {
      good = body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

class StoreDamageTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    for (int i = 0; i < kMessages; ++i) {
      if (!writer_->in_batch()) {
        writer_->begin();
      }
      writer_->put_capture(capture("4dCXzt" + std::to_string(100000 + i), id_at(i),
                                   {"user" + std::to_string(i) + "@example.net"}, Stage::final,
                                   static_cast<std::uint64_t>(i)));
      if (i % 500 == 499) {
        writer_->commit();
      }
    }
  }
  [[nodiscard]] std::string path() const { return options().path; }
  [[nodiscard]] std::string data() const { return path() + "/data.mdb"; }
  [[nodiscard]] std::string lock() const { return path() + "/lock.mdb"; }

  // Asks for messages; true if each answer is right, or that there is none to be had. Keys have no
  // checksum: one with a flipped bit is that of another message, and its own is not there.
  static bool asks_all(const TrackingReader& reader, bool keys_may_differ = false) {
    for (int i = 0; i < kMessages; i += 7) {
      try {
        const auto found = reader.find(envid(id_at(i)), certifier(), kNow);
        if (keys_may_differ && found.messages.empty()) {
          continue;
        }
        if (found.messages.size() != 1 || found.messages[0].recipients.at(0).final.value !=
                                              "user" + std::to_string(i) + "@example.net") {
          std::fprintf(stderr, "wrong answer for %d: %zu\n", i, found.messages.size());
          return false;
        }
      } catch (const StoreError&) {
        return true;  // told: whoever asks opens it again
      }
    }
    return true;
  }
  // `damage` comes while a reader has the store open; and then it is opened again.
  int survives(const std::function<void()>& damage, bool keys_may_differ = false) {
    return apart([&] {
      writer_.reset();
      {
        const TrackingReader reader(path());
        if (!asks_all(reader)) {
          return false;
        }
        damage();
        if (!asks_all(reader, keys_may_differ) || !asks_all(reader, keys_may_differ)) {
          return false;
        }
      }
      try {
        const TrackingReader again(path());
        return asks_all(again, keys_may_differ);
      } catch (const StoreUnusable&) {
      } catch (const StoreError&) {
      }
      return true;
    });
  }
};

TEST_F(StoreDamageTest, AReaderOutlivesADataFileThatIsCutOff) {
  const auto size = fs::file_size(data());
  for (const double left : {0.0, 0.01, 0.1, 0.3, 0.5, 0.6, 0.8, 0.9, 0.97}) {
    fs::copy_file(data(), path() + "/kept");
    EXPECT_EQ(survives([&] {
                fs::resize_file(data(),
                                static_cast<std::uintmax_t>(static_cast<double>(size) * left));
              }),
              0)
        << left;
    writer_.reset();
    fs::remove(data());
    fs::rename(path() + "/kept", data());
  }
}

// All would be looked for in the wrong place, and nothing found, for good.
TEST_F(StoreDamageTest, AFlippedBitInTheSaltIsNoticedByEverybody) {
  const StoreSalt salt = writer_->salt();
  const std::string before(reinterpret_cast<const char*>(salt.data()), salt.size());
  std::string octets(fs::file_size(data()), '\0');
  std::fstream file(data(), std::ios::binary | std::ios::in | std::ios::out);
  file.read(octets.data(), static_cast<std::streamsize>(octets.size()));
  int places = 0;  // pages that are not in use any more have it, too
  for (auto at = octets.find(before); at != std::string::npos; at = octets.find(before, at + 1)) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(octets[at] ^ 1));
    ++places;
  }
  file.close();
  ASSERT_GT(places, 0);
  try {
    writer_->begin();
    ADD_FAILURE() << "the writer began";
  } catch (const StoreError& error) {
    EXPECT_TRUE(is_damage(error));
  }
  writer_.reset();
  EXPECT_THROW(TrackingReader{path()}, StoreUnusable);
  EXPECT_THROW(TrackingWriter(options(), Create::never), StoreUnusable);
  EXPECT_NE(check_store_apart(path()), "");
}

// With a salt of its own: nothing of the one before can be found in it.
TEST_F(StoreDamageTest, AReaderNoticesAnotherStoreWrittenOverItsOwn) {
  EXPECT_EQ(apart([&] {
              writer_.reset();
              WriterOptions other = options();
              other.path = folder_.path() + "/other";
              {
                TrackingWriter writer(other, Create::if_missing);
                for (int i = 0; i < 50; ++i) {  // its transactions are the newer ones
                  writer.begin();
                  writer.put_capture(capture("4dCXztEEEE" + std::to_string(10 + i),
                                             "other" + std::to_string(i) + "@example.net"));
                  writer.commit();
                }
              }
              const TrackingReader reader(path());
              if (!asks_all(reader)) {
                return false;
              }
              std::ifstream from(other.path + "/data.mdb", std::ios::binary);
              std::fstream over(data(), std::ios::binary | std::ios::in | std::ios::out);
              over << from.rdbuf();
              over.close();
              try {
                static_cast<void>(reader.find(envid(id_at(1)), certifier(), kNow));
                return false;
              } catch (const StoreError&) {
              }
              const TrackingReader again(path());
              return true;
            }),
            0);
}

// Anything may stand there by chance, sizes among them that no memory has.
TEST_F(StoreDamageTest, AReaderOutlivesRubbish) {
  fs::copy_file(data(), path() + "/kept");
  for (unsigned seed = 1; seed <= 12; ++seed) {
    EXPECT_EQ(survives([&] {
                std::minstd_rand random(seed);
                std::string octets(fs::file_size(data()) / (1 + seed % 3), '\0');
                for (char& octet : octets) {
                  octet = static_cast<char>(random());
                }
                std::fstream over(data(), std::ios::binary | std::ios::in | std::ios::out);
                over << octets;
              }),
              0)
        << "seed " << seed;
    writer_.reset();
    fs::copy_file(path() + "/kept", data(), fs::copy_options::overwrite_existing);
  }
}

TEST_F(StoreDamageTest, AReaderDoesWithoutALockFile) {
  writer_.reset();
  fs::remove(lock());
  EXPECT_EQ(survives([] {}), 0);
  EXPECT_FALSE(fs::exists(lock()));
  writer_.reset();
  std::ofstream(lock()) << std::string(70000, 'x');
  fs::permissions(lock(), fs::perms::none);
  EXPECT_EQ(survives([] {}), 0);
  fs::remove(lock());
}

void flip_bits(const std::string& file_path, unsigned seed) {
  std::minstd_rand random(seed);
  const UniqueFd file(::open(file_path.c_str(), O_RDWR | O_CLOEXEC));
  const auto size = fs::file_size(file_path);
  for (auto n = 1 + random() % 400; n > 0; --n) {
    const auto at = static_cast<off_t>((random() * 65537ULL + random()) % size);
    char octet = 0;
    static_cast<void>(!::pread(file.get(), &octet, 1, at));
    octet = static_cast<char>(octet ^ (1 << random() % 8));
    static_cast<void>(!::pwrite(file.get(), &octet, 1, at));
  }
}

TEST_F(StoreDamageTest, AReaderOutlivesFlippedBits) {
  fs::copy_file(data(), path() + "/kept");
  for (unsigned seed = 1; seed <= 50; ++seed) {
    EXPECT_EQ(survives([&] { flip_bits(data(), seed); }, true), 0) << "seed " << seed;
    writer_.reset();
    fs::copy_file(path() + "/kept", data(), fs::copy_options::overwrite_existing);
    renew_lock_file(path());
  }
}

// What is put is either in the store that the path leads to, or was not acknowledged.
class ReplacedStoreTest : public StoreDamageTest {
 protected:
  template <typename Error>
  void fails_after(const std::function<void()>& change) {
    writer_->begin();
    writer_->put_capture(capture("4dCXztBBBBBB", "new@example.net"));
    change();
    EXPECT_THROW(writer_->commit(), Error);
    EXPECT_FALSE(writer_->in_batch());
    EXPECT_THROW(writer_->begin(), StoreError);
    EXPECT_FALSE(writer_->in_batch());
  }
};

TEST_F(ReplacedStoreTest, ACommitIntoARemovedFileIsNone) {
  fails_after<StoreGone>([&] { fs::remove(data()); });
}
TEST_F(ReplacedStoreTest, ACommitIntoAFileThatWasRenamedIsNone) {
  fails_after<StoreGone>([&] {
    fs::copy_file(data(), path() + "/restored");
    fs::rename(path() + "/restored", data());
  });
}
TEST_F(ReplacedStoreTest, ACommitIntoAMovedFolderIsNone) {
  fails_after<StoreGone>([&] { fs::rename(path(), path() + "-away"); });
  fs::rename(path() + "-away", path());
}
TEST_F(ReplacedStoreTest, ACommitBesideANewLockFileIsNone) {
  fails_after<StoreGone>([&] { renew_lock_file(path()); });
}

TEST_F(ReplacedStoreTest, AFileThatBecameShorterIsDamage) {
  EXPECT_EQ(apart([&] {
              writer_.reset();
              TrackingWriter writer(options(), Create::never);
              writer.begin();
              writer.put_capture(capture("4dCXztBBBBBB", "new@example.net"));
              writer.commit();
              fs::resize_file(data(), fs::file_size(data()) / 4096 * 4096 - 4096);
              try {
                writer.begin();
              } catch (const StoreError& error) {
                return is_damage(error);
              }
              return false;
            }),
            0);
}

TEST_F(ReplacedStoreTest, AnOlderStoreWrittenOverThisOneIsNoticed) {
  const std::string older = path() + "/older";
  fs::copy_file(data(), older);
  for (int i = 0; i < 3; ++i) {
    put(capture("4dCXztCCCCC" + std::to_string(i), "later" + std::to_string(i) + "@example.net"));
  }
  std::ifstream from(older, std::ios::binary);
  std::fstream over(data(), std::ios::binary | std::ios::in | std::ios::out);
  over << from.rdbuf();
  over.close();
  try {
    writer_->begin();
    FAIL() << "began";
  } catch (const StoreError& error) {
    EXPECT_TRUE(is_damage(error));
  }
  // Whoever opens it anew, with a lock file of its own, has the older store.
  writer_.reset();
  renew_lock_file(path());
  open();
  EXPECT_THAT(find(id_at(7)), SizeIs(1));
  EXPECT_THAT(find("later1@example.net"), IsEmpty());
}

TEST_F(StoreDamageTest, TwoWritersNeverMeetWhateverTheLockFile) {
  writer_->begin();
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(30);
    renew_lock_file(path());
    TrackingWriter other(options(), Create::never);  // waits in here
    static_cast<void>(!::write(ready[1], "x", 1));
    ::_exit(0);
  }
  ::close(ready[1]);
  pollfd got{ready[0], POLLIN, 0};
  EXPECT_EQ(::poll(&got, 1, 500), 0) << "two writers at once";
  writer_->abort();
  EXPECT_EQ(::poll(&got, 1, 20000), 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  ::close(ready[0]);
}

TEST_F(StoreDamageTest, ASoundStorePassesTheCheck) {
  EXPECT_EQ(check_store(path()), "");
  writer_.reset();
  EXPECT_EQ(check_store_apart(path()), "");
  EXPECT_EQ(check_store_apart(folder_.path() + "/nowhere"), "");
}

TEST_F(StoreDamageTest, APageBeyondAnyFileIsDamage) {
  EXPECT_TRUE(is_damage(make_store_error(EFBIG, "commit")));
  EXPECT_FALSE(is_damage(make_store_error(ENOSPC, "commit")));
}

TEST_F(StoreDamageTest, WhatIsNoStoreFailsTheCheck) {
  writer_.reset();
  fs::copy_file(data(), path() + "/kept");
  fs::resize_file(data(), fs::file_size(data()) / 3);
  EXPECT_NE(check_store_apart(path()), "");
  std::ofstream(data(), std::ios::trunc) << std::string(100000, 'x');
  EXPECT_NE(check_store_apart(path()), "");
  fs::rename(path() + "/kept", data());
  EXPECT_EQ(check_store_apart(path()), "");
  // The page where all begins, apart from the two of the head.
  std::fstream over(data(), std::ios::binary | std::ios::in | std::ios::out);
  over.seekp(2 * 4096);
  over << std::string(fs::file_size(data()) - 2 * 4096, '\0');
  over.close();
  EXPECT_NE(check_store_apart(path()), "");
}

TEST_F(StoreDamageTest, AStoreSetAsideMakesWayAndTheNewestThreeAreKept) {
  writer_.reset();
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(set_store_aside(path()), StartsWith("data.mdb.bad-20"));
    EXPECT_FALSE(fs::exists(data()));
    EXPECT_FALSE(fs::exists(lock()));
    open();
    put(capture("4dCXztDDDDDD", "new@example.net"));
    EXPECT_THAT(find("new@example.net"), SizeIs(1));
    EXPECT_THAT(find(id_at(1)), IsEmpty());
    writer_.reset();
  }
  int aside = 0;
  for (const auto& entry : fs::directory_iterator(path())) {
    aside += entry.path().filename().string().starts_with("data.mdb.bad-") ? 1 : 0;
  }
  EXPECT_EQ(aside, 3);
  EXPECT_EQ(set_store_aside(folder_.path()), "");
}

TEST_F(StoreDamageTest, WithoutRoomForTheLockFileTheStoreIsUnusableAndNobodyDies) {
  writer_.reset();
  fs::remove(lock());
  EXPECT_EQ(apart([&] {
              ::signal(SIGXFSZ, SIG_IGN);  // a limit stands in for a full disk
              const rlimit tight{8192, 8192};
              ::setrlimit(RLIMIT_FSIZE, &tight);
              try {
                const TrackingWriter writer(options(), Create::if_missing);
              } catch (const StoreUnusable& error) {
                return std::string(error.what()).find("lock.mdb") != std::string::npos;
              }
              return false;
            }),
            0);
}

}  // namespace
}  // namespace mtrk::store

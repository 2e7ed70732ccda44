// What may stand in a store's folder, by whose hand whatever.
#include "common/store/owned_files.h"

#include "common/base/exit_code.h"
#include "common/store/lmdb.h"
#include "tests/unit/store/store_fixture.h"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace mtrk::store {
namespace {

class OwnedFilesTest : public ::testing::Test {
 protected:
  OwnedFilesTest() { std::filesystem::create_directory(path_); }

  // 0, or the exit code it is refused with.
  int open(Env::Access access) {
    try {
      static_cast<void>(Env::open(path_, access, 4 * kMiB, Env::Missing::create));
      return 0;
    } catch (const StoreUnusable& error) {
      return error.exit_code();
    }
  }
  mode_t mode_of(const std::string& name) {
    struct stat status {};
    EXPECT_EQ(::stat((path_ + "/" + name).c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  TempFolder folder_;
  std::string path_ = folder_.path() + "/owned";
};

TEST_F(OwnedFilesTest, ModesDoNotDependOnTheUmask) {
  std::filesystem::remove(path_);
  const mode_t before = ::umask(0777);
  EXPECT_EQ(open(Env::Access::read_write), 0);
  ::umask(before);
  EXPECT_EQ(mode_of("") & 0777, kStoreFolderMode & 0777);
  EXPECT_EQ(mode_of("data.mdb"), kStoreDataMode);
  EXPECT_EQ(mode_of("lock.mdb"), kStoreLockMode);
  std::filesystem::permissions(path_ + "/lock.mdb", std::filesystem::perms::owner_all);
  EXPECT_EQ(open(Env::Access::read_write), 0);
  EXPECT_EQ(mode_of("lock.mdb"), kStoreLockMode);
  EXPECT_EQ(mode_of("writer.lock"), kStoreLockMode);
}

TEST_F(OwnedFilesTest, LinksAndFifosAreRefused) {
  for (const char* const name : {"data.mdb", "lock.mdb", "writer.lock"}) {
    const std::string file = path_ + "/" + name;
    for (const bool dangling : {false, true}) {
      const std::string target = folder_.path() + (dangling ? "/made" : "/victim");
      std::ofstream(folder_.path() + "/victim") << "precious";
      std::filesystem::create_symlink(target, file);
      for (const Env::Access access : {Env::Access::read_only, Env::Access::read_write}) {
        EXPECT_EQ(open(access), exit_code::no_permission) << name << dangling;
      }
      EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/made"));
      EXPECT_EQ(std::filesystem::file_size(folder_.path() + "/victim"), 8U);
      std::filesystem::remove(file);
    }
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    EXPECT_EQ(open(Env::Access::read_only), exit_code::no_permission) << name;
    EXPECT_EQ(open(Env::Access::read_write), exit_code::no_permission) << name;
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    EXPECT_EQ(open(Env::Access::read_write), exit_code::no_permission) << name;
    std::filesystem::remove(file);
    std::filesystem::remove(path_ + "/lock.mdb");
  }
  EXPECT_EQ(open(Env::Access::read_write), 0);
}

TEST_F(OwnedFilesTest, RootKeepsOutOfOthersFolders) {
  if (::geteuid() != 0) {
    return;  // no folder can be given away
  }
  ASSERT_EQ(::chown(path_.c_str(), 12345, 12345), 0);
  EXPECT_EQ(open(Env::Access::read_only), exit_code::no_permission);
  EXPECT_EQ(open(Env::Access::read_write), exit_code::no_permission);
  EXPECT_TRUE(std::filesystem::is_empty(path_));
  ASSERT_EQ(::chown(path_.c_str(), 0, 12345), 0);  // its group is a matter of its own
  EXPECT_EQ(open(Env::Access::read_write), 0);
  struct stat status {};
  for (const char* const name : {"/data.mdb", "/lock.mdb", "/writer.lock"}) {
    ASSERT_EQ(::stat((path_ + name).c_str(), &status), 0);
    EXPECT_EQ(status.st_gid, 12345U) << name;
  }
}

}  // namespace
}  // namespace mtrk::store

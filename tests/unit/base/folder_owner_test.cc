// As root, which alone can give folders away: the whole of it. As anybody else: what is left.
#include "common/base/folder_owner.h"

#include "tests/support/scratch_directory.h"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace mtrk {
namespace {

constexpr uid_t kService = 12345;
constexpr uid_t kOther = 12346;

class FolderOwnerTest : public testing::Test {
 protected:
  std::string make(const std::string& name, uid_t owner, mode_t mode = 0755) {
    const std::string path = folder_.path(name);
    std::filesystem::create_directory(path);
    give(path, owner);
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  void link(const std::string& target, const std::string& name, uid_t owner) {
    std::filesystem::create_symlink(target, folder_.path(name));
    give(folder_.path(name), owner);
  }
  static void give(const std::string& path, uid_t owner) {
    if (::geteuid() == 0) {
      EXPECT_EQ(::lchown(path.c_str(), owner, owner), 0);
    }
  }
  // 0 if it is found, and then in `owner_`.
  int find(const std::string& path) {
    try {
      owner_ = owner_of_folder(path);
      return 0;
    } catch (const std::system_error& error) {
      return error.code().value();
    }
  }

  test::ScratchDirectory folder_;
  FolderOwner owner_{};
};

TEST_F(FolderOwnerTest, IsThatOfTheFolderOrTheNearestAbove) {
  const uid_t owner = ::geteuid() == 0 ? kService : ::geteuid();
  make("a", owner);
  for (const char* const name : {"a", "a/", "/a//", "./a", "a/b", "a/b/c/d"}) {
    EXPECT_EQ(find(folder_.path() + "/" + name), 0) << name;
    EXPECT_EQ(owner_.user, owner) << name;
  }
  EXPECT_EQ(find("/"), 0);
  EXPECT_EQ(owner_.user, 0U);
  folder_.write("file", "");
  EXPECT_EQ(find(folder_.path("file")), ENOTDIR);
  EXPECT_EQ(find(folder_.path("file/x")), ENOTDIR);
  std::filesystem::create_symlink(folder_.path("loop"), folder_.path("loop"));
  EXPECT_EQ(find(folder_.path("loop")), ELOOP);
}

TEST_F(FolderOwnerTest, SaysWhoMayWriteThere) {
  for (const auto& [mode, closed] : {std::pair<mode_t, bool>{0755, true},
                                     {02750, true},
                                     {0775, false},
                                     {0757, false},
                                     {01777, false}}) {
    const std::string path = make("m" + std::to_string(mode), ::geteuid(), mode);
    EXPECT_EQ(find(path), 0);
    EXPECT_EQ(owner_.closed, closed) << mode;
    EXPECT_EQ(find(path + "/missing"), 0);
    EXPECT_EQ(owner_.closed, closed || (mode & S_ISVTX) != 0) << mode;
  }
}

TEST_F(FolderOwnerTest, TheWayNeverLeavesAnOwnerAgain) {
  if (::geteuid() != 0) {
    return;  // nobody else's folders can be made
  }
  make("root", 0);
  make("service", kService);
  make("service/own", kService);
  make("service/root", 0);
  make("service/other", kOther);
  link(folder_.path("service"), "to-service", 0);
  link("service", "to-service-here", 0);
  EXPECT_EQ(find(folder_.path("service/own")), 0);
  EXPECT_EQ(owner_.user, kService);
  EXPECT_EQ(find(folder_.path("to-service/own")), 0);
  EXPECT_EQ(owner_.user, kService);
  EXPECT_EQ(find(folder_.path("to-service-here")), 0);
  EXPECT_EQ(owner_.user, kService);
  EXPECT_EQ(find(folder_.path("service/root")), EPERM);
  EXPECT_EQ(find(folder_.path("service/root/missing")), EPERM);
  EXPECT_EQ(find(folder_.path("service/other")), EPERM);
  EXPECT_EQ(find(folder_.path("service/../root")), EPERM);
  link(folder_.path("root"), "service/out", kService);
  link("../root", "service/out-by-dots", kService);
  link("own", "service/within", kService);
  link(folder_.path("nothing"), "service/dangling", kService);
  link(folder_.path("root"), "planted", kService);  // as in /tmp
  link(folder_.path("service"), "planted-home", kService);
  EXPECT_EQ(find(folder_.path("service/out")), EPERM);
  EXPECT_EQ(find(folder_.path("service/out-by-dots")), EPERM);
  EXPECT_EQ(find(folder_.path("service/dangling")), EPERM);
  EXPECT_EQ(find(folder_.path("planted")), EPERM);
  EXPECT_EQ(find(folder_.path("planted-home")), EPERM);  // by way of "/", which is root's
  EXPECT_EQ(find(folder_.path("service/within")), 0);
  EXPECT_EQ(owner_.user, kService);
}

}  // namespace
}  // namespace mtrk

#include "milter/base/socket.h"

#include "common/base/unique_fd.h"
#include "tests/support/scratch_directory.h"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace mtrk {
namespace {

TEST(MilterAddressTest, AcceptsUnixSocketsAndLoopback) {
  EXPECT_EQ(parse_milter_address("unix:/run/mtrk/milter.sock")->path, "/run/mtrk/milter.sock");
  EXPECT_EQ(parse_milter_address("local:/run/m.sock")->path, "/run/m.sock");
  EXPECT_FALSE(parse_milter_address("unix:/run/m.sock")->tcp);
  for (const char* const text :
       {"inet:8890@127.0.0.1", "inet:8890@127.1.2.3", "inet:1@localhost", "inet6:8890@::1"}) {
    const auto address = parse_milter_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_TRUE(address->tcp);
    EXPECT_EQ(address->connection, text);
  }
}

TEST(MilterAddressTest, RefusesEverythingElse) {
  const std::string long_path = "unix:/" + std::string(107, 'x');
  for (const std::string& text :
       {std::string(""), std::string("milter.sock"), std::string("unix:"),
        std::string("unix:milter.sock"), std::string("unix:/run/"), std::string("inet:8890"),
        std::string("inet:8890@0.0.0.0"), std::string("inet:8890@192.0.2.1"),
        std::string("inet:8890@mx.example.test"), std::string("inet:8890@127.0.0.1.example"),
        std::string("inet:8890@127.0.0"), std::string("inet:8890@127.0.0.256"),
        std::string("inet:99999@127.0.0.1"), std::string("inet:x@127.0.0.1"),
        std::string("inet6:8890@::"), long_path}) {
    EXPECT_FALSE(parse_milter_address(text)) << text;
  }
}

UniqueFd listen_at(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(fd.get(), 10), 0);
  return fd;
}

bool reachable(const std::string& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

TEST(PublishedSocketTest, IsReachableByItsPublicNameOnly) {
  const test::ScratchDirectory directory;
  const UniqueFd listener = listen_at(directory.path("m.1.sock"));
  PublishedSocket socket(directory.path("m.1.sock"), directory.path("milter.sock"));
  EXPECT_FALSE(std::filesystem::exists(directory.path("m.1.sock")));
  EXPECT_TRUE(std::filesystem::is_socket(directory.path("milter.sock")));  // no symbolic link
  EXPECT_TRUE(reachable(directory.path("milter.sock")));
  socket.unpublish();
  EXPECT_FALSE(std::filesystem::exists(directory.path("milter.sock")));
}

TEST(PublishedSocketTest, CanBeKnockedAtAfterItsNameIsGone) {
  const test::ScratchDirectory directory;
  const UniqueFd listener = listen_at(directory.path("m.1.sock"));
  PublishedSocket socket(directory.path("m.1.sock"), directory.path("milter.sock"));
  socket.unpublish();
  socket.knock();
  EXPECT_GE(UniqueFd(::accept(listener.get(), nullptr, nullptr)).get(), 0);
}

// THR-R4
TEST(PublishedSocketTest, AnOldInstanceThatStopsLeavesTheNameToTheNewOne) {
  const test::ScratchDirectory directory;
  const UniqueFd old_listener = listen_at(directory.path("m.1.sock"));
  PublishedSocket old_socket(directory.path("m.1.sock"), directory.path("milter.sock"));
  const UniqueFd new_listener = listen_at(directory.path("m.2.sock"));
  const PublishedSocket new_socket(directory.path("m.2.sock"), directory.path("milter.sock"));
  old_socket.unpublish();
  EXPECT_TRUE(reachable(directory.path("milter.sock")));
  EXPECT_GE(UniqueFd(::accept(new_listener.get(), nullptr, nullptr)).get(), 0);
}

TEST(PublishedSocketTest, ReplacesAStaleSocketButNothingElse) {
  const test::ScratchDirectory directory;
  listen_at(directory.path("milter.sock"));  // its owner is gone
  const UniqueFd listener = listen_at(directory.path("m.1.sock"));
  EXPECT_NO_THROW(PublishedSocket(directory.path("m.1.sock"), directory.path("milter.sock")));
  const UniqueFd other = listen_at(directory.path("m.2.sock"));
  directory.write("precious", "data");
  EXPECT_THROW(PublishedSocket(directory.path("m.2.sock"), directory.path("precious")),
               std::system_error);
  EXPECT_TRUE(std::filesystem::is_regular_file(directory.path("precious")));
}

}  // namespace
}  // namespace mtrk

#include "tests/soak/cut_disk.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mtrk::soak {
namespace {

constexpr std::size_t kSector = CutDisk::kSector;

IoEntry write(std::uint64_t offset, std::string octets) {
  return {'W', offset, std::move(octets)};
}
IoEntry durable(std::uint64_t offset, std::string octets) {
  return {'D', offset, std::move(octets)};
}
const IoEntry kSync{'S', 0, ""};
const IoEntry kNothing{'P', 0, "said"};

std::string sectors(std::size_t count, char octet) {
  return std::string(count * kSector, octet);
}

// Everything that may be left, by trying often.
std::set<std::string> left(const CutDisk& disk, const IoEntry& in_flight = kNothing) {
  std::mt19937_64 random(1);
  std::set<std::string> images;
  for (int i = 0; i < 2000; ++i) {
    images.insert(disk.cut(in_flight, random).octets);
  }
  return images;
}

TEST(CutDiskTest, KeepsWhatWasSynced) {
  CutDisk disk(true);
  disk.apply(write(0, sectors(2, 'a')));
  disk.apply(kSync);
  EXPECT_EQ(left(disk), std::set<std::string>{sectors(2, 'a')});
}

TEST(CutDiskTest, LeavesAnySectorsOfTheRest) {
  CutDisk disk(true);
  disk.apply(write(0, sectors(2, 'a')));
  disk.apply(kSync);
  disk.apply(write(0, sectors(2, 'b')));
  const std::string a = sectors(1, 'a');
  const std::string b = sectors(1, 'b');
  EXPECT_EQ(left(disk), (std::set<std::string>{a + a, a + b, b + a, b + b}));
}

TEST(CutDiskTest, LeavesAnOlderWriteWhereTheNewerIsMissing) {
  CutDisk disk(true);
  disk.apply(write(0, sectors(1, 'a')));
  disk.apply(write(0, sectors(1, 'b')));
  EXPECT_EQ(left(disk), (std::set<std::string>{"", sectors(1, 'a'), sectors(1, 'b')}));
}

TEST(CutDiskTest, TearsAtSectorsOfTheFile) {
  CutDisk disk(true);
  disk.apply(write(0, sectors(2, 'a')));
  disk.apply(kSync);
  disk.apply(write(kSector - 3, "bbbbbb"));
  std::string head = sectors(2, 'a');
  head.replace(kSector - 3, 3, "bbb");
  std::string tail = sectors(2, 'a');
  tail.replace(kSector, 3, "bbb");
  std::string both = head;
  both.replace(kSector, 3, "bbb");
  EXPECT_EQ(left(disk), (std::set<std::string>{sectors(2, 'a'), head, tail, both}));
}

TEST(CutDiskTest, KeepsADurableWriteButNotTheOneBefore) {
  CutDisk disk(true);
  disk.apply(write(0, sectors(1, 'a')));
  disk.apply(durable(kSector, sectors(1, 'd')));
  EXPECT_EQ(left(disk), (std::set<std::string>{sectors(1, '\0') + sectors(1, 'd'),
                                               sectors(1, 'a') + sectors(1, 'd')}));
}

TEST(CutDiskTest, DoesNotTrustACallThatHasNotReturned) {
  CutDisk disk(true);
  disk.apply(write(0, sectors(1, 'a')));
  EXPECT_EQ(left(disk, kSync).count(""), 1U);
  EXPECT_EQ(left(disk, durable(0, sectors(1, 'd'))),
            (std::set<std::string>{"", sectors(1, 'a'), sectors(1, 'd')}));
}

TEST(CutDiskTest, MayForgetThatAFileWasCut) {
  CutDisk disk(true);
  disk.apply(write(0, sectors(2, 'a')));
  disk.apply(kSync);
  disk.apply({'T', kSector, ""});
  EXPECT_EQ(left(disk), (std::set<std::string>{sectors(1, 'a'), sectors(2, 'a')}));
  disk.apply(kSync);
  EXPECT_EQ(left(disk), std::set<std::string>{sectors(1, 'a')});
}

TEST(CutDiskTest, KeepsNothingForSureIfItIgnoresSyncs) {
  CutDisk disk(false);
  disk.apply(durable(0, sectors(1, 'a')));
  disk.apply(kSync);
  EXPECT_EQ(left(disk), (std::set<std::string>{"", sectors(1, 'a')}));
}

TEST(CutDiskTest, IsWholeWithoutACut) {
  for (const bool syncs : {true, false}) {
    CutDisk disk(syncs);
    disk.apply(write(0, "abc"));
    disk.apply(kSync);
    disk.apply(write(1, "X"));
    disk.apply({'T', 2, ""});
    EXPECT_EQ(disk.whole(), "aX");
  }
}

TEST(CutDiskTest, CountsWhatIsMissing) {
  CutDisk disk(true);
  disk.apply(write(0, sectors(8, 'a')));
  std::mt19937_64 random(1);
  bool some = false;
  for (int i = 0; i < 100; ++i) {
    const CutDisk::Image image = disk.cut(write(8 * kSector, sectors(2, 'b')), random);
    EXPECT_EQ(image.unsynced, 10U);
    EXPECT_LE(image.missing, 10U);
    EXPECT_EQ(image.missing == 0, image.octets == sectors(8, 'a') + sectors(2, 'b'));
    some = some || (image.missing > 0 && image.missing < 10);
  }
  EXPECT_TRUE(some);
}

}  // namespace
}  // namespace mtrk::soak

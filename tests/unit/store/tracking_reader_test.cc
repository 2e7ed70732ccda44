#include "common/store/tracking_reader.h"

#include "common/base/exit_code.h"
#include "common/store/lmdb.h"
#include "common/store/store_error.h"
#include "common/store/store_rows.h"
#include "tests/unit/store/store_fixture.h"

#include <gmock/gmock.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <thread>

namespace mtrk::store {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

using TrackingReaderTest = StoreTest;

// The exit code that opening `path` for reading asks for; 0 if it works.
int open_code(const std::string& path) {
  try {
    const TrackingReader reader(path);
    return 0;
  } catch (const StoreUnusable& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(path));
    return error.exit_code();
  }
}

// Changes rows behind the writer's back.
void tamper(const std::string& path,
            const std::function<void(WriteTxn&, const Databases&)>& change) {
  const auto env = Env::open(path, Env::Access::read_write, 64 * kMiB, Env::Missing::fail);
  {
    WriteTxn txn(*env);
    const Databases databases = make_databases(txn, path);
    change(txn, databases);
    txn.commit();
  }
  env->end_writing();
}

TEST_F(TrackingReaderTest, UnknownWrongSecretAndExpiredAreTheSameMiss) {  // THR-O1
  put(capture("4dCXzt0Cvjz5Z", "id@example.net", {"a@b.test"}));
  apply({attempt("4dCXzt0Cvjz5Z", "a@b.test", "sent"), removed("4dCXzt0Cvjz5Z")});
  const TrackingReader reader(options().path);
  EXPECT_THAT(reader.find(envid("id@example.net"), certifier(), kNow).messages, SizeIs(1));
  for (const auto& found : {reader.find(envid("other@example.net"), certifier(), kNow),
                            reader.find(envid("id@example.net"), certifier(8), kNow),
                            reader.find(envid("id@example.net"), certifier(), kNow + 9 * kDay)}) {
    EXPECT_THAT(found.messages, IsEmpty());
  }
}

TEST_F(TrackingReaderTest, BracketedIdIsTriedWithoutBracketsLast) {
  put(capture("4dCXzt0Cvjz5Z", "plain@example.net"));
  put(capture("4dCXzt0CvjzAA", "<both@example.net>"));
  put(capture("4dCXzt0CvjzBB", "both@example.net"));
  const TrackingReader reader(options().path);
  const auto bare = reader.find(envid("<plain@example.net>"), certifier(), kNow);
  ASSERT_THAT(bare.messages, SizeIs(1));
  EXPECT_EQ(bare.without_brackets, envid("plain@example.net"));
  const auto exact = reader.find(envid("<both@example.net>"), certifier(), kNow);
  ASSERT_THAT(exact.messages, SizeIs(1));
  EXPECT_FALSE(exact.without_brackets);
  EXPECT_EQ(exact.messages[0].queue_id, "4dCXzt0CvjzAA");
  EXPECT_THAT(reader.find(envid("<no@example.net>"), certifier(), kNow).messages, IsEmpty());
}

TEST_F(TrackingReaderTest, MissingStoreIsNoInput) {
  EXPECT_EQ(open_code(folder_.path() + "/nowhere"), exit_code::no_input);
  EXPECT_EQ(open_code(folder_.path()), exit_code::no_input);  // a folder without a store
  std::ofstream(folder_.path() + "/file") << "x";
  EXPECT_EQ(open_code(folder_.path() + "/file"), exit_code::no_input);
}

TEST_F(TrackingReaderTest, ForeignOrTruncatedFileIsADataError) {
  std::filesystem::create_directory(folder_.path() + "/foreign");
  std::ofstream(folder_.path() + "/foreign/data.mdb") << std::string(20000, 'x');
  EXPECT_EQ(open_code(folder_.path() + "/foreign"), exit_code::data_error);
  for (int i = 0; i < 50; ++i) {
    put(capture("ABCDEF" + std::to_string(1000 + i), std::to_string(i) + "@example.net"));
  }
  writer_.reset();
  std::filesystem::resize_file(options().path + "/data.mdb", 8192);
  EXPECT_EQ(open_code(options().path), exit_code::data_error);  // THR-L8
}

TEST_F(TrackingReaderTest, UnreadableStoreIsNoPermission) {
  writer_.reset();
  std::filesystem::permissions(options().path + "/data.mdb", std::filesystem::perms::none);
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0 && ::setuid(kNobody) != 0) {  // root may read everything
      ::_exit(1);
    }
    ::_exit(open_code(options().path));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), exit_code::no_permission);
}

TEST_F(TrackingReaderTest, NewerFormatIsRefused) {  // THR-L17
  writer_.reset();
  tamper(options().path, [](WriteTxn& txn, const Databases& databases) {
    std::string value;
    encode_number(2, value);
    txn.put(databases.meta, "format", value);
  });
  EXPECT_EQ(open_code(options().path), exit_code::config);
  EXPECT_THROW(TrackingWriter(options(), Create::if_missing), StoreUnusable);
}

TEST_F(TrackingReaderTest, CorruptRowIsNeverServed) {  // THR-L9
  put(capture("4dCXzt0Cvjz5Z", "id@example.net", {"a@b.test"}));
  put(capture("4dCXzt0CvjzAA", "good@example.net"));
  const MessageKey key = MessageKey::make(writer_->salt(), envid("id@example.net"), certifier());
  writer_.reset();
  tamper(options().path, [&](WriteTxn& txn, const Databases& databases) {
    const std::string row_key = message_row_key(key, 1);
    std::string value(txn.get(databases.message, row_key).value());
    value[20] = static_cast<char>(value[20] ^ 4);
    txn.put(databases.message, row_key, value);
  });
  {
    const TrackingReader reader(options().path);
    EXPECT_THROW(static_cast<void>(reader.find(envid("id@example.net"), certifier(), kNow)),
                 StoreError);
    EXPECT_THAT(reader.find(envid("good@example.net"), certifier(), kNow).messages, SizeIs(1));
  }
  open();
  apply({attempt("4dCXzt0Cvjz5Z", "a@b.test", "sent")});  // sets the row aside, mail goes on
  EXPECT_EQ(writer_->stats().corrupt, 1U);
  EXPECT_THAT(find("id@example.net"), IsEmpty());
  sweep(kNow + 40 * kDay);
  sweep(kNow + 41 * kDay);
  EXPECT_EQ(writer_->stats().messages, 0U);
  EXPECT_EQ(writer_->stats().traces, 0U);
  EXPECT_EQ(writer_->stats().queue_ids, 0U);
}

TEST_F(TrackingReaderTest, ReadersSeeEachBatchAsSoonAsItIsCommitted) {
  const TrackingReader reader(options().path);
  writer_->begin();
  writer_->put_capture(capture("4dCXzt0Cvjz5Z", "id@example.net"));
  EXPECT_THAT(reader.find(envid("id@example.net"), certifier(), kNow).messages, IsEmpty());
  writer_->commit();
  EXPECT_THAT(reader.find(envid("id@example.net"), certifier(), kNow).messages, SizeIs(1));
}

TEST_F(TrackingReaderTest, ManyThreadsReadWhileTheWriterWrites) {
  const TrackingReader reader(options().path);
  put(capture("4dCXzt0Cvjz5Z", "id@example.net"));
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> misses{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 40; ++i) {  // more than there are slots
    threads.emplace_back([&] {
      while (!stop) {
        if (reader.find(envid("id@example.net"), certifier(), kNow).messages.size() != 1) {
          ++misses;
        }
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    put(capture("ABCDEF" + std::to_string(1000 + i), std::to_string(i) + "@example.net"));
  }
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(misses, 0U);
}

}  // namespace
}  // namespace mtrk::store

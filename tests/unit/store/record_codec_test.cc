#include "common/store/record_codec.h"

#include "common/base/codec.h"
#include "tests/unit/store/store_fixture.h"

namespace mtrk::store {
namespace {

StoredMessage message() {
  StoredMessage stored;
  stored.visible = true;
  stored.message.reporting_mta = {"dns", "mx.example.test"};
  stored.message.arrival = kNow;
  stored.message.utc_offset = Minutes(-210);
  stored.message.expires_at = kNow + kDay;
  stored.message.queued = true;
  stored.message.queue_id = "4dCXzt0Cvjz5Z";
  const LastAttempt attempt{kNow, MtaName{"dns", "mx.example.net"}};
  const std::vector<Outcome> outcomes{
      never_tried(kNow + kDay),
      Delayed{*TransientStatus::make({4, 4, 1}), attempt, {}},
      Delivered{*SuccessStatus::make({2, 0, 0}), LastAttempt{kNow, {}}},
      Failed{*FailureStatus::make({5, 1, 1}), attempt},
      Expanded{*SuccessStatus::make({2, 0, 0}), kNow},
      Relayed{attempt},
      Transferred{*SuccessStatus::make({2, 4, 0}), kNow, {"dns", "mx.example.net"}},
      Opaque{},
  };
  for (const Outcome& outcome : outcomes) {
    stored.message.recipients.push_back(
        {{"rfc822", "a@example.net"}, {"utf-8", "\xC3\xBC@example.net"}, outcome, true});
  }
  return stored;
}

StoredTrace trace() {
  Digest32 key;
  key.fill(9);
  StoredTrace stored{MessageKey::from_octets(key),
                     Origin::final,
                     42,
                     kNow,
                     Passport{envid("id@example.net"), certifier(), Seconds(3600)},
                     maillog::DeliveryTrace(QueueId::parse("4dCXzt0Cvjz5Z").value(), kNow,
                                            {"a@example.net"}, maillog::Recipients::captured)};
  return stored;
}

std::vector<std::string> samples() {
  std::vector<std::string> records(4);
  encode_message(message(), records[0]);
  encode_trace(trace(), records[1]);
  encode_cursor({{1, 2, 3, 4, 5, "s=journal"}, LogTime(kNow)}, records[2]);
  encode_number(6, records[3]);
  return records;
}

// Which decoders take the record.
std::vector<bool> taken(std::string_view record) {
  return {decode_message(record).has_value(), decode_trace(record).has_value(),
          decode_cursor(record).has_value(), decode_number(record).has_value()};
}

TEST(RecordCodecTest, MessageSurvivesWithEveryOutcome) {
  std::string record;
  encode_message(message(), record);
  const Expected<StoredMessage> back = decode_message(record);
  ASSERT_TRUE(back) << back.error().detail;
  EXPECT_TRUE(back->visible);
  EXPECT_EQ(back->message, message().message);
}

TEST(RecordCodecTest, TraceSurvivesWithAndWithoutPassport) {
  StoredTrace stored = trace();
  std::string record;
  encode_trace(stored, record);
  const Expected<StoredTrace> back = decode_trace(record);
  ASSERT_TRUE(back) << back.error().detail;
  EXPECT_EQ(back->key, stored.key);
  EXPECT_EQ(back->origin, stored.origin);
  EXPECT_EQ(back->ticket, stored.ticket);
  EXPECT_EQ(back->arrival, stored.arrival);
  ASSERT_TRUE(back->passport);
  EXPECT_EQ(back->passport->envelope_id, stored.passport->envelope_id);
  EXPECT_EQ(back->passport->certifier, stored.passport->certifier);
  EXPECT_EQ(back->passport->timeout, stored.passport->timeout);
  stored.passport.reset();
  encode_trace(stored, record);
  EXPECT_EQ(record.find("id@example.net"), std::string::npos);
  EXPECT_FALSE(decode_trace(record).value().passport);
}

TEST(RecordCodecTest, CursorAndNumberSurvive) {
  const std::vector<std::string> records = samples();
  const Expected<StoredCursor> cursor = decode_cursor(records[2]);
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->cursor.offset, 3U);
  EXPECT_EQ(cursor->cursor.journal, "s=journal");
  EXPECT_EQ(cursor->newest, LogTime(kNow));
  EXPECT_EQ(decode_number(records[3]).value(), 6U);
}

TEST(RecordCodecTest, EveryFlippedBitIsDetected) {  // THR-L9
  for (const std::string& record : samples()) {
    for (std::size_t i = 0; i < record.size() * 8; ++i) {
      std::string damaged = record;
      damaged[i / 8] = static_cast<char>(damaged[i / 8] ^ (1 << (i % 8)));
      ASSERT_EQ(taken(damaged), std::vector<bool>(4, false)) << "bit " << i;
    }
  }
}

TEST(RecordCodecTest, EveryTruncationIsDetected) {
  for (const std::string& record : samples()) {
    for (std::size_t size = 0; size < record.size(); ++size) {
      ASSERT_EQ(taken(record.substr(0, size)), std::vector<bool>(4, false)) << size;
    }
  }
}

// The inner checks alone, as if the checksum had been made over damaged fields.
TEST(RecordCodecTest, DamagedFieldsUnderARightChecksumNeverCrash) {
  for (const std::string& record : samples()) {
    for (std::size_t i = 0; i + 4 < record.size(); ++i) {
      for (const char octet : {'\x00', '\x7f', '\xff'}) {
        std::string damaged = record.substr(0, record.size() - 4);
        damaged[i] = octet;
        put_u32(damaged, crc32c(damaged));
        static_cast<void>(taken(damaged));
        damaged = damaged.substr(0, i);
        put_u32(damaged, crc32c(damaged));
        static_cast<void>(taken(damaged));
      }
    }
  }
}

TEST(RecordCodecTest, NewerVersionIsUnsupportedNotCorrupt) {
  std::string record = samples()[0];
  record.resize(record.size() - 4);
  record[0] = 2;
  put_u32(record, crc32c(record));
  EXPECT_EQ(decode_message(record).error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace mtrk::store

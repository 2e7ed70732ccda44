#include "mtqpd/server/query_service.h"

#include "common/base/exit_code.h"
#include "common/store/store_error.h"
#include "tests/support/known_messages.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace mtrk::mtqpd {
namespace {

using LookUpResult = mtqp::ServerSession::LookUpResult;
using std::chrono::seconds;

// A store that a test breaks, mends and replaces.
struct FakeStore {
  bool missing = false;
  bool newer_format = false;
  bool broken = false;
  bool replaced = false;
  unsigned opened = 0;
  unsigned open_now = 0;
  unsigned snapshots = 0;
  std::vector<TrackedMessage> messages;
};

class FakeSource final : public MessageSource {
 public:
  explicit FakeSource(FakeStore& store) : store_(store) {
    ++store_.opened;
    ++store_.open_now;
  }
  FakeSource(const FakeSource&) = delete;
  FakeSource& operator=(const FakeSource&) = delete;
  ~FakeSource() override { --store_.open_now; }

  [[nodiscard]] std::unique_ptr<Snapshot> snapshot() const override {
    ++store_.snapshots;
    return std::make_unique<test::KnownMessages>([this](const EnvelopeId&) {
      if (store_.broken) {
        throw store::StoreError(5, "read");
      }
      return store_.messages;
    });
  }
  [[nodiscard]] bool replaced() const override { return store_.replaced; }

 private:
  FakeStore& store_;
};

class QueryServiceTest : public ::testing::Test {
 protected:
  OpenSource opener() {
    return [this]() -> std::unique_ptr<MessageSource> {
      EXPECT_EQ(store_.open_now, 0U) << "LMDB: one environment a process";
      if (store_.newer_format) {
        throw store::StoreUnusable(exit_code::config, "format 2");
      }
      if (store_.missing) {
        throw store::StoreUnusable(exit_code::no_input, "no store");
      }
      return std::make_unique<FakeSource>(store_);
    };
  }

  LookUpResult ask() {
    const mtqp::LookUp query{EnvelopeId::from_decoded("a@b").value(),
                             TrackingSecret::parse_base64("YWJj").value()};
    return QueryService::Batch(queries_).answer(query, confidentiality_, TimePoint(), report_);
  }

  FakeStore store_;
  Confidentiality confidentiality_;
  std::string report_;
  net::Clock::time_point now_{seconds(1000)};
  QueryService queries_{opener()};
};

TEST_F(QueryServiceTest, MissingStoreIsUnavailableUntilItAppears) {
  store_.missing = true;
  const auto change = queries_.tend(now_);
  ASSERT_TRUE(change);
  EXPECT_FALSE(change->available);
  EXPECT_EQ(change->detail, "no store");
  EXPECT_FALSE(queries_.available());
  EXPECT_EQ(ask(), LookUpResult::unavailable);
  EXPECT_FALSE(queries_.tend(now_ + seconds(1)));  // said once
  store_.missing = false;
  EXPECT_FALSE(queries_.tend(now_ + seconds(2)));  // backs off
  const auto mended = queries_.tend(now_ + seconds(3));
  ASSERT_TRUE(mended);
  EXPECT_TRUE(mended->available);
  EXPECT_EQ(ask(), LookUpResult::no_information);
}

TEST_F(QueryServiceTest, BackOffStopsAtHalfAMinute) {
  store_.missing = true;
  for (int i = 0; i < 300; ++i) {
    static_cast<void>(queries_.tend(now_ + seconds(i)));
  }
  store_.missing = false;
  EXPECT_TRUE(queries_.tend(now_ + seconds(330)));
}

TEST_F(QueryServiceTest, NewerFormatIsTheCallersProblem) {
  store_.newer_format = true;
  EXPECT_THROW(static_cast<void>(queries_.tend(now_)), store::StoreUnusable);
}

TEST_F(QueryServiceTest, FailedLookUpIsUnavailableAndReopens) {  // MTQP-4-09
  ASSERT_TRUE(queries_.tend(now_));
  store_.broken = true;
  EXPECT_EQ(ask(), LookUpResult::unavailable);
  EXPECT_TRUE(queries_.available());
  store_.broken = false;
  EXPECT_EQ(ask(), LookUpResult::no_information);  // one bad row does not stop the others
  EXPECT_FALSE(queries_.tend(now_ + seconds(1)));
  EXPECT_EQ(store_.opened, 2U);
  EXPECT_FALSE(queries_.tend(now_ + seconds(2)));
  EXPECT_EQ(store_.opened, 2U);
}

TEST_F(QueryServiceTest, ReplacedStoreIsOpenedAnew) {
  ASSERT_TRUE(queries_.tend(now_));
  store_.replaced = true;
  static_cast<void>(queries_.tend(now_ + seconds(1)));
  EXPECT_EQ(store_.opened, 2U);
}

TEST_F(QueryServiceTest, AppliesThePrivacyPolicy) {  // MTRK-4.2-03
  TrackedMessage message;
  message.reporting_mta = {"dns", "mx.example2.com"};
  message.recipients.push_back({{"rfc822", "a@b"},
                                {"rfc822", "a@b"},
                                Relayed{{TimePoint(), MtaName{"dns", "secret.example3.com"}}},
                                true});
  store_.messages.push_back(message);
  ASSERT_TRUE(queries_.tend(now_));
  ASSERT_EQ(ask(), LookUpResult::found);
  EXPECT_EQ(report_.find("secret.example3.com"), std::string::npos);
  EXPECT_NE(report_.find("Action: relayed"), std::string::npos);
  confidentiality_.forwarding = Confidentiality::Forwarding::reveal;
  ASSERT_EQ(ask(), LookUpResult::found);
  EXPECT_NE(report_.find("secret.example3.com"), std::string::npos);
}

TEST_F(QueryServiceTest, AnswersHaveALimit) {  // THR-P8
  TrackedMessage message;
  message.reporting_mta = {"dns", "mx.example2.com"};
  const TypedAddress address{"rfc822", "user@example.com"};
  message.recipients.assign(500, {address, address, Opaque{}, false});
  for (int i = 0; i < 64; ++i) {
    message.arrival += Seconds(1);
    store_.messages.push_back(message);
  }
  ASSERT_TRUE(queries_.tend(now_));
  ASSERT_EQ(ask(), LookUpResult::found);
  EXPECT_LE(report_.size(), mtqp::kMaxAnswer);
  EXPECT_NE(report_.find(format_rfc5322_date(message.arrival, Minutes(0))), std::string::npos);
}

TEST_F(QueryServiceTest, ABatchLooksAtTheStoreOnce) {
  static_cast<void>(queries_.tend(now_));
  const mtqp::LookUp query{EnvelopeId::from_decoded("a@b").value(),
                           TrackingSecret::parse_base64("YWJj").value()};
  QueryService::Batch batch(queries_);
  EXPECT_EQ(store_.snapshots, 0U) << "not before there is a query";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(batch.answer(query, confidentiality_, TimePoint(), report_),
              LookUpResult::no_information);
  }
  EXPECT_EQ(store_.snapshots, 1U);
}

TEST_F(QueryServiceTest, ABatchTakesAnotherLookAfterAFailure) {
  static_cast<void>(queries_.tend(now_));
  const mtqp::LookUp query{EnvelopeId::from_decoded("a@b").value(),
                           TrackingSecret::parse_base64("YWJj").value()};
  QueryService::Batch batch(queries_);
  store_.broken = true;
  EXPECT_EQ(batch.answer(query, confidentiality_, TimePoint(), report_), LookUpResult::unavailable);
  store_.broken = false;
  EXPECT_EQ(batch.answer(query, confidentiality_, TimePoint(), report_),
            LookUpResult::no_information);
}

}  // namespace
}  // namespace mtrk::mtqpd

// THR-O1, THR-O2 (MTQP-11-11): whoever asks cannot tell an unknown id from a wrong secret or from a
// record that has expired, neither by the octets of the answer nor by the time it takes.
#include "common/mtqp/server_session.h"
#include "common/store/tracking_writer.h"
#include "mtqpd/server/query_service.h"
#include "mtqpd/server/settings.h"
#include "tests/support/test_certificate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace mtrk::mtqpd {
namespace {

// Of each class, and each is asked about once a round: how deep in the tree a key happens to lie
// would tell the few of one class from the few of another.
constexpr int kMessages = 20'000;
constexpr int kRounds = 8;
constexpr char kSecret[] = "AAECAwQFBgcICQoLDA0ODw==";
constexpr char kWrongSecret[] = "AAECAwQFBgcICQoLDA0OEA==";

enum Class : std::size_t { unknown, wrong_secret, expired, kClasses };

std::string id(const char* kind, int number) {
  return std::string(kind) + std::to_string(10000 + number) + "@example.com";
}

class OracleTest : public testing::Test {
 protected:
  OracleTest() : queries_(open_tracking_store(folder_.path().string())) {
    store::WriterOptions options;
    options.path = folder_.path().string();
    options.max_size = 64 << 20;
    store::TrackingWriter writer(options, store::Create::if_missing);
    writer.begin();
    for (int i = 0; i < kMessages; ++i) {
      put(writer, id("live-", i), wall_clock() + std::chrono::hours(24));
      put(writer, id("past-", i), wall_clock() - Seconds(10));  // not yet swept
    }
    writer.commit();
    static_cast<void>(queries_.tend(net::Clock::now()));
  }

  static void put(store::TrackingWriter& writer, const std::string& envelope_id, TimePoint until) {
    TrackedMessage message;
    message.reporting_mta = {"dns", "mx.example2.com"};
    message.arrival = wall_clock() - std::chrono::hours(1);
    message.expires_at = until;
    const TypedAddress user{"rfc822", "user@example.com"};
    OutcomeFields fields{Action::relayed,
                         {2, 1, 9},
                         MtaName{"dns", "mx.example3.com"},
                         message.arrival,
                         std::nullopt};
    message.recipients.push_back({user, user, *make_outcome(fields), false});
    static_cast<void>(writer.put_message(
        EnvelopeId::from_decoded(envelope_id).value(),
        TrackingCertifier::of(TrackingSecret::parse_base64(kSecret).value()), message));
  }

  // What is asked for the sample: ids and secrets of the same length in every class.
  static std::string question(Class kind, int number) {
    const char* name = kind == expired ? "past-" : kind == unknown ? "none-" : "live-";
    return "TRACK " + id(name, number) + ' ' + (kind == wrong_secret ? kWrongSecret : kSecret) +
           "\r\n";
  }

  // One TRACK through the session and the store, as a connection does it.
  std::string ask(const std::string& command) {
    mtqp::LineBuffer lines;
    lines.feed(command);
    std::string out;
    mtqp::Next next = session_.advance(lines, out);
    const auto* query = std::get_if<mtqp::LookUp>(&next);
    if (query == nullptr) {
      return "not a query";
    }
    session_.answer(QueryService::Batch(queries_).answer(*query, {}, wall_clock(), report_),
                    report_, out);
    return out;
  }

  test::TemporaryFolder folder_;
  QueryService queries_;
  mtqp::ServerSession session_{mtqp::SessionPolicy()};
  std::string report_;
};

struct Times {
  std::vector<double> ns;

  [[nodiscard]] double quantile(double q) const {
    return ns[static_cast<std::size_t>(static_cast<double>(ns.size() - 1) * q)];
  }
};

struct Moments {
  double count = 0;
  double mean = 0;
  double variance = 0;
};

// Of the samples below `limit`: interrupts are not what is measured.
Moments moments(const Times& times, double limit) {
  Moments result;
  double squares = 0;
  for (const double one : times.ns) {
    if (one <= limit) {
      ++result.count;
      result.mean += one;
      squares += one * one;
    }
  }
  result.mean /= result.count;
  result.variance = squares / result.count - result.mean * result.mean;
  return result;
}

struct Difference {
  double ns = 0;  // of the means
  double t = 0;   // Welch's
};

Difference between(const Times& a, const Times& b) {
  const double limit = std::max(a.quantile(0.9), b.quantile(0.9));
  const Moments of_a = moments(a, limit);
  const Moments of_b = moments(b, limit);
  const double ns = of_a.mean - of_b.mean;
  return {std::abs(ns),
          std::abs(ns) / std::sqrt(of_a.variance / of_a.count + of_b.variance / of_b.count)};
}

TEST_F(OracleTest, MissesAreTheSameOctets) {  // THR-O1
  for (int i = 0; i < kMessages; ++i) {
    for (const Class kind : {unknown, wrong_secret, expired}) {
      ASSERT_EQ(ask(question(kind, i)), "-ERR/noinfo No tracking information\r\n");
    }
  }
  EXPECT_TRUE(ask("TRACK " + id("live-", 7) + ' ' + kSecret + "\r\n").starts_with("+OK+"));
}

TEST_F(OracleTest, MissesTakeTheSameTime) {  // THR-O2
  // Commands made beforehand, in random order: else the processor has learned from making one, or
  // from the one before, and that is what is measured.
  std::vector<std::pair<Class, std::string>> samples;
  for (int i = 0; i < kMessages; ++i) {
    for (const Class kind : {unknown, wrong_secret, expired}) {
      samples.emplace_back(kind, question(kind, i));
    }
  }
  std::mt19937 order;
  // A round may be disturbed by others on this machine; what can be told apart can be in all of
  // them.
  for (int round = 0; round < kRounds; ++round) {
    std::array<Times, kClasses> times;
    std::shuffle(samples.begin(), samples.end(), order);
    for (const auto& [kind, command] : samples) {
      const auto start = std::chrono::steady_clock::now();
      const std::string answer = ask(command);
      const auto end = std::chrono::steady_clock::now();
      times[kind].ns.push_back(std::chrono::duration<double, std::nano>(end - start).count());
      ASSERT_EQ(answer.size(), 37U);
    }
    for (Times& one : times) {
      std::sort(one.ns.begin(), one.ns.end());
    }
    const double median = times[unknown].quantile(0.5);
    bool apart = false;
    std::printf("median %.0f ns, differences", median);
    for (const auto& [a, b] : {std::pair{unknown, wrong_secret}, std::pair{unknown, expired},
                               std::pair{wrong_secret, expired}}) {
      const Difference difference = between(times[a], times[b]);
      std::printf(" %.1f ns (|t| %.1f)", difference.ns, difference.t);
      // Some thousandths are there: to compare keys that are equal costs more than others.
      apart = apart || (difference.t > 4.5 && difference.ns > 0.01 * median);
    }
    std::printf("\n");
    if (!apart) {
      return;
    }
  }
  FAIL() << "the times of misses can be told apart";
}

}  // namespace
}  // namespace mtrk::mtqpd

#include "common/maillog/queue_space.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk::maillog {
namespace {

using What = decltype(DeliveryEvent::what);

DeliveryEvent event(std::string_view host,
                    std::string_view program,
                    What what = Held{},
                    Mta mta = Mta::postfix) {
  return {LogTime(Seconds(1'700'000'000)), "A1B2C3D4E5", what, mta, host, program};
}
DeliveryEvent queued(std::string_view host, std::string_view program) {
  return event(host, program, Queued{"s@a", 1});
}
bool same_host(std::string_view a, std::string_view b) {
  EXPECT_EQ(host_space(a).same_host(host_space(b)), host_space(b).same_host(host_space(a)));
  return host_space(a).same_host(host_space(b));
}

TEST(QueueSpaceTest, HostsAreComparedWithoutCase) {
  EXPECT_TRUE(same_host("mx", "mx"));
  EXPECT_TRUE(same_host("MX.Example.ORG", "mx.example.org"));
  EXPECT_FALSE(same_host("mxa", "mxb"));
  EXPECT_FALSE(same_host("mxa.example.org", "mxb.example.org"));
}

TEST(QueueSpaceTest, AShortNameMayBeAnyHostOfThatName) {
  EXPECT_TRUE(same_host("mx", "mx.example.org"));
  EXPECT_TRUE(same_host("mx", "mx.example.net"));
  EXPECT_FALSE(same_host("mx.example.org", "mx.example.net"));
  EXPECT_TRUE(same_host("mx.example.org.", "mx.example.org")) << "the final dot of a full name";
  EXPECT_FALSE(same_host("mx", "mx2.example.org"));
}

TEST(QueueSpaceTest, AnAddressIsAHostAsAWhole) {
  EXPECT_FALSE(same_host("192.0.2.1", "192.0.2.2"));
  EXPECT_FALSE(same_host("192", "192.0.2.1"));
  EXPECT_TRUE(same_host("2001:db8::1", "2001:DB8::1"));
  EXPECT_FALSE(same_host("2001:db8::1", "2001:db8::2"));
}

TEST(QueueSpaceTest, ALineWithoutAHostMayBeOfAny) {
  EXPECT_TRUE(same_host("", "mx"));
  EXPECT_TRUE(same_host("-", "mx"));
}

TEST(QueueSpaceTest, TakesOverWhatIsNotKnownYet) {
  QueueSpace space;
  EXPECT_FALSE(space.learn({}));
  EXPECT_TRUE(space.learn(host_space("mx")));
  EXPECT_TRUE(space.same_host(host_space("mx.example.net")));
  EXPECT_TRUE(space.learn(host_space("mx.example.org")));
  EXPECT_FALSE(space.same_host(host_space("mx.example.net")));
  EXPECT_FALSE(space.learn(host_space("mx.example.net")));
  EXPECT_TRUE(space.learn({0, 0, 7}));
  EXPECT_FALSE(space.same_queue({0, 0, 8}));
  EXPECT_TRUE(space.same_queue({0, 0, 0}));
  EXPECT_TRUE(space.any_instance().same_queue({0, 0, 8}));
}

TEST(QueueSpaceTest, InstancesAreTheNamesOfQueueManagers) {
  QueueSpaces spaces;
  const QueueSpace in = spaces.of(queued("mx", "postfix/qmgr"));
  const QueueSpace out = spaces.of(queued("mx", "postfix-out/qmgr"));
  EXPECT_FALSE(in.same_queue(out));
  EXPECT_TRUE(in.same_host(out));
  EXPECT_TRUE(in.same_queue(spaces.of(event("mx", "postfix/smtp"))));
  EXPECT_TRUE(out.same_queue(spaces.of(event("mx", "postfix-out/smtp"))));
  EXPECT_FALSE(in.same_queue(spaces.of(event("mx", "postfix-out/submission/smtpd"))));
  EXPECT_TRUE(in.same_queue(spaces.of(event("mx", "postfix/submission/smtpd"))));
}

TEST(QueueSpaceTest, AServiceWithANameOfItsOwnMayBelongToEachInstance) {
  QueueSpaces spaces;
  const QueueSpace in = spaces.of(queued("mx", "postfix/qmgr"));
  const QueueSpace out = spaces.of(queued("mx", "postfix-out/oqmgr"));
  for (const std::string_view program : {"postfix-submission/smtpd", "amavis/smtp", "relay/smtp",
                                         "MailScanner", "postsuper", "", "postfix-policy"}) {
    const QueueSpace own = spaces.of(event("mx", program));
    EXPECT_TRUE(own.same_queue(in)) << program;
    EXPECT_TRUE(own.same_queue(out)) << program;
  }
}

TEST(QueueSpaceTest, ANameIsAnInstanceOnItsHostOnly) {
  QueueSpaces spaces;
  static_cast<void>(spaces.of(queued("mxa", "postfix-out/qmgr")));
  const QueueSpace other = spaces.of(queued("mxb", "postfix/qmgr"));
  EXPECT_TRUE(other.same_queue(spaces.of(event("mxb", "postfix-out/smtp"))));
  EXPECT_FALSE(other.same_queue(spaces.of(event("mxa", "postfix-out/smtp"))));
}

TEST(QueueSpaceTest, EachLineOfAQueueManagerTeachesItsName) {
  for (const What& what : {What(Queued{"s@a", 1}), What(GaveUp{"expired"}), What(Removed{"qmgr"}),
                           What(Removed{"oqmgr"})}) {
    QueueSpaces spaces;
    EXPECT_NE(spaces.of(event("mx", "postfix-in/qmgr", what)).instance, 0U) << what.index();
  }
  QueueSpaces spaces;
  EXPECT_EQ(spaces.of(event("mx", "other/postsuper", Removed{"postsuper"})).instance, 0U);
  EXPECT_EQ(spaces.of(event("mx", "sendmail", Queued{"s@a", 1}, Mta::sendmail)).instance, 0U);
}

TEST(QueueSpaceTest, WithoutServicesInTheTagTheNameIsTheTag) {  // RFC 5424
  QueueSpaces spaces;
  EXPECT_TRUE(spaces.of(queued("mx", "postfix")).same_queue(spaces.of(event("mx", "postfix"))));
  EXPECT_FALSE(
      spaces.of(queued("mx", "postfix")).same_queue(spaces.of(queued("mx", "postfix-out"))));
}

TEST(QueueSpaceTest, SendmailHasNoInstances) {
  QueueSpaces spaces;
  const auto of = [&](std::string_view tag) {
    return spaces.of(event("mx", tag, Held{}, Mta::sendmail));
  };
  const QueueSpace daemon = of("sendmail");
  EXPECT_TRUE(daemon.same_queue(of("sm-mta")));
  EXPECT_TRUE(daemon.same_queue(of("sm-msp-queue")));
  EXPECT_FALSE(daemon.same_queue(spaces.of(event("mxb", "sendmail", Held{}, Mta::sendmail))));
}

TEST(QueueSpaceTest, WhoLooksAheadKnowsTheInstancesFromTheStart) {
  QueueSpaces spaces;
  spaces.learn(queued("mx", "postfix/qmgr"));
  spaces.learn(queued("mx", "postfix-out/qmgr"));
  EXPECT_FALSE(spaces.of(event("mx", "postfix/smtpd", Client{"x[192.0.2.1]", ""}))
                   .same_queue(spaces.of(event("mx", "postfix-out/smtpd", Client{"", ""}))));
}

TEST(QueueSpaceTest, TheOwnHostIsNotTiedToItsName) {
  QueueSpaces spaces("mx");
  const QueueSpace before = spaces.of(event("other", "postfix/smtp"));
  EXPECT_NE(before.host, 0U);
  EXPECT_FALSE(spaces.is_foreign(before)) << "the log may call this host so";
  const QueueSpace own = spaces.of(event("MX.example.org", "postfix/smtp"));
  EXPECT_EQ(own.host, 0U);
  EXPECT_FALSE(spaces.is_foreign(own));
  EXPECT_TRUE(spaces.is_foreign(spaces.of(event("other", "postfix/smtp"))));
  EXPECT_FALSE(spaces.is_foreign(spaces.of(event("-", "postfix/smtp"))));
}

TEST(QueueSpaceTest, KeepsABoundedNumberOfNames) {
  QueueSpaces spaces;
  for (int i = 0; i < 10'000; ++i) {
    const std::string name = "x" + std::to_string(i) + "/qmgr";
    static_cast<void>(spaces.of(queued("mx", name)));
  }
  EXPECT_EQ(spaces.of(queued("mx", "x9999/qmgr")).instance, 0U);
  EXPECT_NE(spaces.of(queued("mx", "x0/qmgr")).instance, 0U);
}

}  // namespace
}  // namespace mtrk::maillog

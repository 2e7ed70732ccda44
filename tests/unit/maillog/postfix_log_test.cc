#include "common/maillog/postfix_log.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk::maillog {
namespace {

ParsedLine parse(std::string_view text, std::string_view program = "postfix/smtp") {
  LogLine line{};
  line.program = program;
  line.text = text;
  return parse_postfix(line);
}

// "name|queue id|…" of an event, to compare whole events in tables; "ignored", "unparsed".
std::string summary(const ParsedLine& parsed) {
  if (std::holds_alternative<Ignored>(parsed)) {
    return "ignored";
  }
  if (std::holds_alternative<Unparsed>(parsed)) {
    return "unparsed";
  }
  const DeliveryEvent& event = std::get<DeliveryEvent>(parsed);
  std::string text = std::string(event_name(event)) + "|" + std::string(event.queue_id);
  const auto add = [&](std::string_view part) { text += "|" + std::string(part); };
  if (const Attempt* attempt = std::get_if<Attempt>(&event.what)) {
    for (const std::string_view part : {attempt->agent, attempt->recipient, attempt->original,
                                        attempt->relay, attempt->status, attempt->text}) {
      add(part);
    }
  } else if (const Client* client = std::get_if<Client>(&event.what)) {
    add(client->client);
    add(client->orig_queue_id);
  } else if (const Pickup* pickup = std::get_if<Pickup>(&event.what)) {
    add(pickup->orig_id);
  } else if (const MessageId* id = std::get_if<MessageId>(&event.what)) {
    add(id->message_id);
  } else if (const Queued* queued = std::get_if<Queued>(&event.what)) {
    add(queued->sender);
    add(std::to_string(queued->recipients));
  } else if (const GaveUp* gave_up = std::get_if<GaveUp>(&event.what)) {
    add(gave_up->status);
  } else if (const Removed* removed = std::get_if<Removed>(&event.what)) {
    add(removed->by);
  } else if (const Notification* notification = std::get_if<Notification>(&event.what)) {
    add(notification->kind);
    add(notification->child);
  }
  return text;
}

struct TextCase {
  std::string_view program, text, want;
};

TEST(PostfixLogTest, KnowsTheEventsOfAQueueId) {
  const TextCase cases[] = {
      {"postfix/smtpd", "4jWzny4Kjxz1V: client=unknown[127.0.0.1]",
       "client|4jWzny4Kjxz1V|unknown[127.0.0.1]|"},
      {"postfix/reinject/smtpd",
       "4jWznz706Yz4M: client=unknown[127.0.0.1], orig_queue_id=4jWznz6SlLz4H, "
       "orig_client=unknown[192.0.2.9]",
       "client|4jWznz706Yz4M|unknown[127.0.0.1]|4jWznz6SlLz4H"},
      {"postfix/submission/smtpd",
       "8027AA8C975: client=a[192.0.2.9], sasl_method=PLAIN, sasl_username=x, orig_queue_id=EVIL01",
       "client|8027AA8C975|a[192.0.2.9]|"},
      {"postfix-in/smtpd", "AB12CF: client=mail.six[2001:db8::9]",
       "client|AB12CF|mail.six[2001:db8::9]|"},  // the shortest there is: 5 digits and an inode
      {"other/10025/smtpd", "4zPnGw4vL1zXxyz9: client=localhost[::1], orig_queue_id=AB12CF0",
       "client|4zPnGw4vL1zXxyz9|localhost[::1]|AB12CF0"},
      {"postfix/smtpd", "8027A: client=a[1]", "ignored"},
      {"postfix/smtpd", "8027AA8C975:client=a[1]", "ignored"},
      {"postfix/smtpd", "warning: client=a[1]", "ignored"},
      {"postfix/smtpd", "NOQUEUE: milter-reject: END-OF-MESSAGE from a[1]: x", "ignored"},
      {"postfix/smtpd", "NOQUEUE: hold: RCPT from a[1]: x", "ignored"},
      {"postfix/smtpd", "NOQUEUE: discard: RCPT from a[1]: x", "ignored"},
      {"postfix/pickup", "8E47CA8C9B9: uid=0 from=<root>", "pickup|8E47CA8C9B9|"},
      {"postfix/pickup", "C8B2BA8C970: uid=999 from=<s@x> orig_id=0FEBEA8C978",
       "pickup|C8B2BA8C970|0FEBEA8C978"},
      {"postfix/pickup", R"(C8B2BA8C970: uid=999 from=<"> orig_id=EVIL01"@x>)",
       "pickup|C8B2BA8C970|"},
      {"postfix/cleanup", "8027AA8C975: message-id=<a@b>", "message-id|8027AA8C975|<a@b>"},
      {"postfix/cleanup", "8027AA8C975: message-id=", "message-id|8027AA8C975|"},
      {"postfix/qmgr", "8027AA8C975: from=<s@x>, size=365, nrcpt=5 (queue active)",
       "queued|8027AA8C975|s@x|5"},
      {"postfix/qmgr",
       R"~(8027AA8C975: from=<"s>, size=1, nrcpt=1 (queue active)"@x>, size=319, nrcpt=2 (queue active))~",
       R"~(queued|8027AA8C975|"s>, size=1, nrcpt=1 (queue active)"@x|2)~"},
      {"postfix/qmgr", "8027AA8C975: from=<>, status=expired, returned to sender",
       "expired|8027AA8C975|expired"},
      {"postfix/qmgr", "8027AA8C975: from=<>, status=force-expired, returned to sender",
       "expired|8027AA8C975|force-expired"},
      {"postfix/qmgr", "8027AA8C975: removed", "removed|8027AA8C975|qmgr"},
      {"postfix/postsuper", "8027AA8C975: removed", "removed|8027AA8C975|postsuper"},
      {"postfix", "8027AA8C975: removed", "removed|8027AA8C975|"},
      {"postfix/postsuper", "8027AA8C975: requeued", "requeued|8027AA8C975"},
      {"postfix/postsuper", "8027AA8C975: placed on hold", "held|8027AA8C975"},
      {"postfix/postsuper", "8027AA8C975: released from hold", "released|8027AA8C975"},
      {"postfix/postsuper", "8027AA8C975: expired", "force-expired|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: hold: header X: y from a[1]; from=<a> to=<b>: z",
       "held|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: milter-hold: END-OF-MESSAGE from a[1]: x",
       "held|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: milter-reject: END-OF-MESSAGE from a[1]: 5.7.1 x",
       "rejected|8027AA8C975"},
      {"postfix/smtpd", "8027AA8C975: milter-reject: RCPT from a[1]: 5.7.1 x", "ignored"},
      {"postfix/cleanup", "8027AA8C975: milter-discard: END-OF-MESSAGE from a[1]: x",
       "discarded|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: reject: header X: y from a[1]", "rejected|8027AA8C975"},
      {"postfix/smtpd", "8027AA8C975: reject: RCPT from a[1]: 550 <x>: no", "ignored"},
      {"postfix/cleanup", "8027AA8C975: discard: header X: y", "discarded|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: reject: body y from a[1]", "rejected|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: reject: content character reject from a[1]",
       "rejected|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: reject: mime-error message header length exceeds limit: X",
       "rejected|8027AA8C975"},
      {"postfix/smtpd", "8027AA8C975: reject: END-OF-MESSAGE from a[1]: 552 5.3.4 x",
       "rejected|8027AA8C975"},
      {"postfix/smtpd", "8027AA8C975: reject: DATA from a[1]: 450 x", "ignored"},  // may try again
      {"postfix/smtpd", "8027AA8C975: discard: RCPT from a[1]: <x@y>: triggers DISCARD action",
       "discarded|8027AA8C975"},
      {"postfix/smtpd", "8027AA8C975: hold: RCPT from a[1]: <x@y>: triggers HOLD action",
       "held|8027AA8C975"},
      {"postfix/smtpd", "8027AA8C975: milter-discard: MAIL from a[1]: x", "discarded|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: milter-reject: END-OF-MESSAGE from a[1]: 4.7.1 x",
       "rejected|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: milter-header-reject: header X-Spam: y from a[1];",
       "rejected|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: milter-header-discard: header X-Spam: y from a[1];",
       "discarded|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: milter-header-hold: header X-Spam: y from a[1];",
       "held|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: milter-header-bcc: header X-Spam: y from a[1];", "ignored"},
      {"postfix/cleanup", "8027AA8C975: hold: header X: y from a[1];", "held|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: removed (canceled)", "rejected|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: removed (discarded)", "discarded|8027AA8C975"},
      {"postfix/cleanup", "8027AA8C975: redirect: header X: y from a[1];", "ignored"},
      {"postfix/cleanup", "8027AA8C975: filter: header X: y from a[1];", "ignored"},
      {"postfix/cleanup", "8027AA8C975: bcc: header X: y from a[1];", "ignored"},
      {"postfix/cleanup", "8027AA8C975: warning: header X: y from a[1];", "ignored"},
      {"postfix/cleanup", "8027AA8C975: info: header X: y from a[1];", "ignored"},
      {"postfix/cleanup", "8027AA8C975: replace: header X: y from a[1];", "ignored"},
      {"postfix/cleanup", "8027AA8C975: prepend: header X: y from a[1];", "ignored"},
      {"postfix/cleanup", "8027AA8C975: resent-message-id=<a@b>", "ignored"},
      {"postfix/smtp", "8027AA8C975: status=deferred (bounce failed)",
       "ignored"},  // of no recipient
      {"postfix/smtp", "8027AA8C975: host mx[1] said: 450 x (in reply to RCPT TO command)",
       "ignored"},
      {"postfix/smtp", "8027AA8C975: lost connection with mx[1] while sending RCPT TO", "ignored"},
      {"postfix/bounce", "8027AA8C975: sender non-delivery notification: B2E3FA8C9B0",
       "notified|8027AA8C975|non-delivery|B2E3FA8C9B0"},
      {"postfix/bounce", "8027AA8C975: sender delay notification: B2E3FA8C9B0",
       "notified|8027AA8C975|delay|B2E3FA8C9B0"},
      {"postfix/bounce", "8027AA8C975: sender delivery status notification: B2E3FA8C9B0",
       "notified|8027AA8C975|delivery status|B2E3FA8C9B0"},
      {"postfix/bounce", "8027AA8C975: postmaster non-delivery notification: B2E3FA8C9B0",
       "ignored"},
      {"postfix/local", "8027AA8C975: passing <a@b> to transport=lmtp", "ignored"},
      {"postfix/smtpd", "connect from unknown[127.0.0.1]", "ignored"},
      {"postfix/smtpd", "NOQUEUE: client=unknown[127.0.0.1]", "ignored"},
      {"postfix/smtpd", "warning: to=<a@b>, relay=c, delay=1, dsn=2.0.0, status=sent (x)",
       "ignored"},
      {"postfix/smtp", "8027AA8C975: removed by force", "ignored"},
      {"postfix/smtp", "8027AA8C975:", "ignored"},
      {"postfix/smtp", "8027AA8C975: ", "ignored"},
      {"", "8027AA8C975: removed", "ignored"},
      {"mtrk-milter", "8027AA8C975: removed", "ignored"},
      {"sm-mta", "8027AA8C975: to=<a@b>, delay=00:00:01, stat=Sent", "ignored"},
  };
  for (const TextCase& test : cases) {
    EXPECT_EQ(summary(parse(test.text, test.program)), test.want) << test.text;
  }
}

constexpr std::string_view kQueueId = "4jWzny4Kjxz1V: ";

std::string attempt_of(std::string_view fields, std::string_view program = "postfix/smtp") {
  return summary(parse(std::string(kQueueId) + std::string(fields), program));
}

TEST(PostfixLogTest, ReadsTheFormsOfADeliveryLine) {
  const TextCase cases[] = {
      {"postfix/smtp",
       "to=<a@b>, relay=mx[192.0.2.1]:25, delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent (250 "
       "ok)",
       "delivery|4jWzny4Kjxz1V|smtp|a@b||mx[192.0.2.1]:25|sent|250 ok"},
      {"postfix/lmtp",
       "to=<a@b>, orig_to=<c@d>, relay=mx[/path], conn_use=3, delay=0.1, delays=0/0/0/0.1, "
       "dsn=4.2.2, status=deferred (x)",
       "delivery|4jWzny4Kjxz1V|lmtp|a@b|c@d|mx[/path]|deferred|x"},
      {"postfix/smtp",
       "to=<a@b>, relay=mx[192.0.2.1]:25, delay=0.1, delays=0/0/0/0.1, tls=secure, dsn=2.0.0, "
       "status=sent (250 ok)",
       "delivery|4jWzny4Kjxz1V|smtp|a@b||mx[192.0.2.1]:25|sent|250 ok"},
      {"postfix/local", "to=<a@b>, relay=local, delay=1, status=sent (mailbox)",
       "delivery|4jWzny4Kjxz1V|local|a@b||local|sent|mailbox"},
      {"postfix/local",
       "to=<a@b>, relay=local, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (forwarded as "
       "4jWznz2T4sz3L)",
       "forwarded|4jWzny4Kjxz1V|local|a@b||local|sent|forwarded as 4jWznz2T4sz3L"},
      {"postfix/pipe",
       "to=<a@b>, relay=forwarder, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (forwarded as "
       "4jWznz2T4sz3L)",
       "delivery|4jWzny4Kjxz1V|pipe|a@b||forwarder|sent|forwarded as 4jWznz2T4sz3L"},
      {"postfix/local", "to=<>, relay=local, delay=1, dsn=2.0.0, status=sent (discarded)",
       "delivery|4jWzny4Kjxz1V|local|||local|sent|discarded"},
      {"postfix/smtp",
       "to=<j\xC3\xB6s\xC3\xA9@b>, relay=none, delay=1, delays=1/0/0/0, dsn=5.6.7, status=bounced "
       "(x)",
       "delivery|4jWzny4Kjxz1V|smtp|j\xC3\xB6s\xC3\xA9@b||none|bounced|x"},
      // a cut record: the text runs to the end, and names no queue id
      {"postfix/smtp",
       "to=<a@b>, relay=mx[192.0.2.1]:25, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 "
       "queued as 4jWznz2T4sz3L",
       "delivery|4jWzny4Kjxz1V|smtp|a@b||mx[192.0.2.1]:25|sent|250 queued as 4jWznz2T4sz3L"},
      {"postfix/other-service",
       "to=<a@b>, relay=x, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (x)",
       "delivery|4jWzny4Kjxz1V|other-service|a@b||x|sent|x"},
      {"mta-out", "to=<a@b>, relay=x, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (x)",
       "delivery|4jWzny4Kjxz1V||a@b||x|sent|x"},
      // every key there is; newer releases may write them in another order
      {"postfix-out/relay/smtp",
       "to=<a@b>, orig_to=<c@d>, relay=mx.six[2001:db8::25]:25, conn_use=2, delay=102, "
       "delays=100/0.01/1/1, tls=dane:none/requiretls, dsn=2.1.5, status=sent (250 2.1.5 ok)",
       "delivery|4jWzny4Kjxz1V|smtp|a@b|c@d|mx.six[2001:db8::25]:25|sent|250 2.1.5 ok"},
      {"postfix/smtp",
       "to=<a@b>, relay=mx[192.0.2.1]:25, delay=1, tls=may?, delays=1/0/0/0, conn_use=2, "
       "dsn=4.7.0, status=deferred (x)",
       "delivery|4jWzny4Kjxz1V|smtp|a@b||mx[192.0.2.1]:25|deferred|x"},
      {"postfix/lmtp",
       "to=<a@b>, relay=mx.example.test[private/dovecot-lmtp], delay=0, delays=0/0/0/0, "
       "dsn=2.0.0, status=sent (250 2.0.0 <a@b> XbY1 Saved)",
       "delivery|4jWzny4Kjxz1V|lmtp|a@b||mx.example.test[private/dovecot-lmtp]|sent|250 2.0.0 "
       "<a@b> XbY1 Saved"},
      {"postfix/error",
       "to=<a@b>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (delivery "
       "temporarily suspended: connect to mx[192.0.2.1]:25: Connection refused)",
       "delivery|4jWzny4Kjxz1V|error|a@b||none|deferred|delivery temporarily suspended: connect "
       "to mx[192.0.2.1]:25: Connection refused"},
      {"postfix/smtp",
       "to=<a@b>, relay=none, delay=1, delays=1/0/0/0, dsn=4.1.1, status=SOFTBOUNCE (x)",
       "delivery|4jWzny4Kjxz1V|smtp|a@b||none|SOFTBOUNCE|x"},
      {"postfix/cleanup",  // a virtual alias that leads nowhere: logged by the agent, not by it
       "to=<a@b>, relay=none, delay=1, delays=1/0/0/0, dsn=5.1.1, status=bounced (x)", "ignored"},
      // any syslog_name; programs of others have no slash
      {"mtrk-out/smtp", "to=<a@b>, relay=x[::1]:25, delay=1, status=sent (x)",
       "delivery|4jWzny4Kjxz1V|smtp|a@b||x[::1]:25|sent|x"},
      {"sm-relay/smtp", "to=<a@b>, relay=x[::1]:25, delay=1, status=sent (x)",
       "delivery|4jWzny4Kjxz1V|smtp|a@b||x[::1]:25|sent|x"},
      {"mtrk-gate", "to=<a@b>, relay=x[::1]:25, delay=1, status=sent (x)", "ignored"},
      {"sm-mta", "to=<a@b>, relay=x[::1]:25, delay=1, status=sent (x)", "ignored"},
      // programs that deliver nothing
      {"postfix/smtpd", "to=<a@b>, relay=x, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (x)",
       "ignored"},
  };
  for (const TextCase& test : cases) {
    EXPECT_EQ(attempt_of(test.text, test.program), test.want) << test.text;
  }
}

TEST(PostfixLogTest, CountsADeliveryLineThatDeviates) {
  for (const std::string_view text :
       {"to=<a@b", "to=<a@b>", "to=<a@b>,relay=x, status=sent (x)", "to=<a@b>, status=sent (x)",
        "to=<a@b>, relay=x, status=sent", "to=<a@b>, relay=x, status=(x)",
        "to=<a@b>, relay=x, status=sent(x)", "to=<a@b>, relay=x, delay=1, delay=2, status=sent (x)",
        "to=<a@b>, relay=x, dsn=2.0.0, dsn=2.0.0, status=sent (x)",
        "to=<a@b>, relay=x, conn_use=, tls", "to=<a@b>, orig_to=<c@d>, orig_to=<e@f>, relay=x",
        "to=<a@b>, relay=x, dsn=9.0.0, status=sent (x)", "to=<a@b>, relay=x, dsn=, status=sent (x)",
        "to=<a@b>, relay=x, evil, dsn=2.0.0, status=sent (x)",
        "to=<a@b>, orig_to=<c, relay=x, dsn=2.0.0, status=sent (x)",
        "to=<\"a@b>, relay=x, dsn=2.0.0, status=sent (x)"}) {
    EXPECT_EQ(attempt_of(text), "unparsed") << text;
  }
}

TEST(PostfixLogTest, FindsTheQueueIdOfAReply) {
  const auto queued_as = [](std::string_view reply) {
    const std::string text = std::string(kQueueId) +
                             "to=<a@b>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, "
                             "delays=1/0/0/0, dsn=2.0.0, status=sent (" +
                             std::string(reply) + ")";
    return std::string(std::get<Attempt>(std::get<DeliveryEvent>(parse(text)).what).queued_as);
  };
  EXPECT_EQ(queued_as("250 2.0.0 Ok: queued as 4jWznz706Yz4M"), "4jWznz706Yz4M");
  EXPECT_EQ(
      queued_as("250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as A1B2C3D4"),
      "A1B2C3D4");
  EXPECT_EQ(queued_as("250 queued as A1B2C3D4 with thanks"), "");
  EXPECT_EQ(queued_as("250 queued as A1"), "");
  EXPECT_EQ(queued_as("250 queued as "), "");
  EXPECT_EQ(queued_as(""), "");
}

// A line cut anywhere is the event with less text, or none: never another event.
TEST(PostfixLogTest, ACutLineIsNeverSomethingElse) {
  const std::string whole = std::string(kQueueId) +
                            R"(to=<"x>, relay=y"@b>, orig_to=<c@d>, relay=mx[192.0.2.1]:25, )"
                            "delay=0.1, delays=0/0/0/0.1, dsn=5.1.1, status=bounced (host said: "
                            "550 5.1.1 status=sent (250 ok))";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::string cut = whole.substr(0, length);
    const ParsedLine parsed = parse(cut);
    if (const DeliveryEvent* event = std::get_if<DeliveryEvent>(&parsed)) {
      const Attempt& attempt = std::get<Attempt>(event->what);
      EXPECT_EQ(attempt.status, "bounced");
      EXPECT_EQ(attempt.recipient, R"("x>, relay=y"@b)");
    }
  }
}

}  // namespace
}  // namespace mtrk::maillog

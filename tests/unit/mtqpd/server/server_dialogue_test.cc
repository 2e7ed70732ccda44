// The dialogues of tests/data/sessions over TCP and TLS, against the real server with a real store.
#include "common/store/tracking_writer.h"
#include "tests/support/running_server.h"
#include "tests/support/transcript.h"
#include "tests/support/wire_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace mtrk::mtqpd {
namespace {

using test::Section;
using test::Transcript;

// Gives reports the boundary of the transcripts.
std::string with_fixed_boundary(std::string text) {
  constexpr std::string_view kMark = "boundary=\"";
  for (std::size_t at = 0; (at = text.find(kMark, at)) != std::string::npos;) {
    at += kMark.size();
    const std::size_t end = text.find('"', at);
    if (end == std::string::npos) {
      break;
    }
    const std::string boundary = text.substr(at, end - at);
    for (std::size_t i = at; (i = text.find(boundary, i)) != std::string::npos;) {
      text.replace(i, boundary.size(), "b1");
    }
  }
  return text;
}

std::string receive_like(test::WireClient& client, const std::string& expected) {
  return with_fixed_boundary(client.receive_until(
      [&](const std::string& text) { return with_fixed_boundary(text) == expected; }));
}

class ServerDialogueTest : public testing::TestWithParam<Transcript> {
 protected:
  ServerDialogueTest() {
    const Transcript& transcript = GetParam();
    Settings settings = test::default_settings();
    if (!transcript.names.empty()) {
      settings.tls = test::make_tls({.names = transcript.names});
    }
    if (transcript.policy.tls_required_for) {
      settings.tls_required_for = transcript.policy.tls_required_for;
    }
    if (transcript.policy.service == mtqp::SessionPolicy::Service::open) {
      fill_store(transcript);
    }
    server_.emplace(open_tracking_store(folder_.path().string()), std::move(settings));
  }

  void fill_store(const Transcript& transcript) {
    store::WriterOptions options;
    options.path = folder_.path().string();
    options.max_size = 1 << 20;
    store::TrackingWriter writer(options, store::Create::if_missing);
    writer.begin();
    for (const test::StoredMessage& one : transcript.messages) {
      const TrackingSecret secret = TrackingSecret::parse_base64(one.secret).value();
      static_cast<void>(writer.put_message(EnvelopeId::from_decoded(one.envelope_id).value(),
                                           TrackingCertifier::of(secret), one.message));
    }
    writer.commit();
  }

  void expect_end(test::WireClient& client, const Section& section) {
    if (section.closes) {
      EXPECT_EQ(client.receive_all(), "");
    } else {  // nothing more was said, and the session lives
      client.send("QUIT\r\n");
      EXPECT_EQ(client.receive_all(), "+OK bye\r\n");
    }
  }

  test::TemporaryFolder folder_;
  std::optional<test::RunningServer> server_;
};

TEST_P(ServerDialogueTest, AnswersOneSegment) {  // MTQP-8-02
  const Transcript& transcript = GetParam();
  test::WireClient client(server_->port());
  for (std::size_t i = 0; i < transcript.sections.size(); ++i) {
    const Section& section = transcript.sections[i];
    if (i > 0) {
      ASSERT_TRUE(client.start_tls(transcript.names.front()));
    }
    client.send(section.sent());
    EXPECT_EQ(receive_like(client, section.expected()), section.expected());
  }
  expect_end(client, transcript.sections.back());
}

TEST_P(ServerDialogueTest, AnswersCommandByCommand) {
  const Transcript& transcript = GetParam();
  test::WireClient client(server_->port());
  for (std::size_t i = 0; i < transcript.sections.size(); ++i) {
    if (i > 0) {
      ASSERT_TRUE(client.start_tls(transcript.names.front()));
    }
    for (const Section::Turn& turn : transcript.sections[i].turns) {
      client.send(turn.sent);
      EXPECT_EQ(receive_like(client, turn.expected), turn.expected);
    }
  }
  expect_end(client, transcript.sections.back());
}

std::vector<Transcript> over_tcp() {
  std::vector<Transcript> all = test::read_transcripts(MTRK_TEST_DATA "/sessions");
  all.erase(std::remove_if(all.begin(), all.end(), [](const Transcript& t) { return t.pure_only; }),
            all.end());
  return all;
}

std::string name_of(const testing::TestParamInfo<Transcript>& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Dialogues, ServerDialogueTest, testing::ValuesIn(over_tcp()), name_of);

}  // namespace
}  // namespace mtrk::mtqpd

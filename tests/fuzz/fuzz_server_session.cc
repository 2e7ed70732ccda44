// A whole dialogue with the server. The first octet chooses the policy, the second where the input
// is cut; the rest is what the client sends. Whatever comes, the server says complete replies of
// RFC 3887 and nothing else, the same however the input is cut, and looks nothing up that it must
// not.
#include "common/mtqp/reply.h"
#include "common/mtqp/server_session.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using mtrk::mtqp::DomainCheck;
using mtrk::mtqp::LineBuffer;
using mtrk::mtqp::ServerSession;
using mtrk::mtqp::SessionPolicy;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

SessionPolicy make_policy(unsigned bits) {
  SessionPolicy policy;
  policy.tls_active = (bits & 1) != 0;
  policy.tls_insufficient = policy.tls_active && (bits & 2) != 0;
  policy.tls = static_cast<SessionPolicy::Tls>((bits >> 2) % 3);
  policy.service =
      (bits & 16) != 0 ? SessionPolicy::Service::unavailable : SessionPolicy::Service::open;
  if ((bits & 32) != 0) {
    policy.tls_required_for =
        std::make_shared<std::vector<std::string>>(std::vector<std::string>{"example.com"});
  }
  return policy;
}

struct Player {
  explicit Player(unsigned bits) : session(make_policy(bits)), may_look_up((bits & 16) == 0) {
    session.greet(out);
  }

  void feed(std::string_view bytes, bool more) {
    if (over) {
      return;
    }
    lines.feed(bytes);
    while (!over && step(more)) {
    }
  }

  bool step(bool more) {
    mtrk::mtqp::Next next = session.advance(lines, out);
    if (const auto* query = std::get_if<mtrk::mtqp::LookUp>(&next)) {
      require(may_look_up);
      require(!query->secret.octets().empty());
      // A report of which every line wants stuffing.
      const bool found = query->envelope_id.fqhn().starts_with('e');
      session.answer(
          found ? ServerSession::LookUpResult::found : ServerSession::LookUpResult::no_information,
          found ? ".\r\n..\r\n.a\r\n" : "", out);
      return true;
    }
    if (const auto* check = std::get_if<mtrk::mtqp::CheckDomain>(&next)) {
      next = session.answer_domain(
          check->domain == "a.b" ? DomainCheck::matches : DomainCheck::no_match, lines, more, out);
      if (std::holds_alternative<mtrk::mtqp::NeedInput>(next)) {
        return true;
      }
      require(!std::holds_alternative<mtrk::mtqp::BeginTls>(next) || !lines.line_started());
    }
    over = !std::holds_alternative<mtrk::mtqp::NeedInput>(next);
    return false;
  }

  ServerSession session;
  LineBuffer lines;
  std::string out;
  bool may_look_up;
  bool over = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::string text(data + 2, data + size);
  const std::size_t cut = data[1] * text.size() / 256;
  Player one(data[0]);
  one.feed(text, false);
  Player two(data[0]);
  two.feed(std::string_view(text).substr(0, cut), cut < text.size());
  two.feed(std::string_view(text).substr(cut), false);
  require(one.out == two.out);
  require(one.over == two.over);

  mtrk::mtqp::ReplyParser parser(1 << 20);
  parser.feed(one.out);
  for (;;) {
    const auto reply = parser.next();
    require(reply.has_value());
    if (!*reply) {
      break;
    }
  }
  require(parser.pending() == 0);
  return 0;
}

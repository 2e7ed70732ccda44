// The inbound gate with a hostile client and a hostile server. The first octet chooses the options,
// the rest is a script (gate_player.h). No line end is passed that is not CRLF, nothing said before
// a handshake is in the connection after it, no command reaches the server that it would take for
// one the client may not use, memory is bounded, and without TLS, where it matters that nothing
// came behind STARTTLS, the cut of the input does not matter.
#include "common/base/ascii.h"
#include "milter/gate/session/inbound.h"
#include "tests/fuzz/gate_player.h"

namespace {

using mtrk::GatePlayer;
using mtrk::smtp::GateInboundSession;

GateInboundSession::Options make_options(unsigned bits) {
  GateInboundSession::Options options;
  options.settings = {"gate.example", static_cast<mtrk::smtp::TlsUse>((bits >> 2) % 3)};
  options.identify =
      (bits & 1) != 0 ? GateInboundSession::Identify::xclient : GateInboundSession::Identify::none;
  options.tls_offered = (bits & 2) != 0;
  options.auth_in_clear = (bits & 32) != 0;
  return options;
}

const mtrk::smtp::ClientIdentity kClient{
    {"abcd", 1}, {"abcd", 25}, "97.98.99.100", "client.example.org", false};

// As Postfix reads a command: skips all of isspace(3) in front of the verb, and ends it there.
std::string_view lenient_verb(std::string_view line) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  line.remove_prefix(std::min(line.find_first_not_of(kSpace), line.size()));
  return line.substr(0, line.find_first_of(kSpace));
}

// Up to the first command behind which come octets that are no commands.
void require_allowed_commands(std::string_view octets) {
  while (!octets.empty()) {
    const std::size_t end = std::min(octets.find("\r\n"), octets.size());
    const std::string_view verb = lenient_verb(octets.substr(0, end));
    for (const std::string_view kept : {"XCLIENT", "XFORWARD"}) {
      mtrk::require(!mtrk::iequals(verb, kept));
    }
    for (const std::string_view content : {"DATA", "BDAT", "AUTH"}) {
      if (mtrk::iequals(verb, content)) {
        return;
      }
    }
    octets.remove_prefix(std::min(end + 2, octets.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const mtrk::FuzzInput script(data + 1, size - 1);
  GateInboundSession session(make_options(data[0]), kClient);
  GatePlayer whole(session);
  play(script, whole, 1U << 16);
  if ((data[0] & 1) == 0) {  // else XCLIENT is ours
    require_allowed_commands(whole.to_server());
  }
  // BDAT needs CHUNKING, which only a server of the script's own words can have said.
  if (script.rest().find("CHUNKING") == std::string_view::npos) {
    mtrk::require(mtrk::has_whole_line_ends(whole.to_server()));
  }
  if ((data[0] & 2) == 0) {
    GateInboundSession again(make_options(data[0]), kClient);
    GatePlayer cut(again);
    play(script, cut, 1);
    mtrk::require(cut.to_client() == whole.to_client() || again.closing() || session.closing());
  }
  return 0;
}

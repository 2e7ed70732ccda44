// The outbound gate with a hostile next hop and an odd mail system; script as for the inbound one.
// No fold goes out, a tag is only ever ours, and MTRK= goes only to who announced it.
#include "common/base/ascii.h"
#include "common/smtp/gate_outbound.h"
#include "common/track/gate_tag.h"
#include "tests/fuzz/gate_player.h"

#include <optional>
#include <string>

namespace {

using mtrk::smtp::GateOutboundSession;

class Player : public mtrk::GatePlayer {
 public:
  explicit Player(GateOutboundSession& session) : GatePlayer(session), outbound_(session) {}

 private:
  void look_up() override {
    ++looked_up_;
    if (looked_up_ % 3 == 0) {
      outbound_.answer_look_up(std::nullopt);
      return;
    }
    outbound_.answer_look_up(
        mtrk::smtp::Onward{"e@h", *mtrk::parse_mtrk_param("AAAAAAAAAAAAAAAAAAAAAAAAAAA:940")});
  }

  GateOutboundSession& outbound_;
  unsigned looked_up_ = 0;
};

// Calls visit(line) for each line of `text`, without CRLF.
template <typename Visit>
void each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\r\n"), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  GateOutboundSession session({"gate.example", static_cast<mtrk::smtp::TlsUse>(data[0] % 3)});
  session.set_next_hop({false, "true.example", "192.0.2.1", "25"});
  Player player(session);
  const mtrk::FuzzInput script(data + 1, size - 1);
  play(script, player, (data[0] & 64) != 0 ? 1 : 1U << 16);
  if (script.rest().find("CHUNKING") == std::string_view::npos) {
    mtrk::require(mtrk::has_whole_line_ends(player.to_server()));
  }
  each_line(player.to_client(), [](std::string_view line) {
    const auto tag = mtrk::find_gate_tag(line);
    const bool ours = !tag || tag->host == "true.example";
    // A reply that is not tagged (AUTH, EHLO …) is never logged as a delivery.
    mtrk::require(ours || line.size() < 4 || line[0] != '2');
  });
  return 0;
}

// The outbound gate with a hostile next hop and an odd mail system; script as for the inbound one.
// No fold goes out, a tag is only ever ours, and MTRK= goes only to who announced it.
#include "milter/gate/session/outbound.h"
#include "tests/fuzz/gate_player.h"

#include <optional>

namespace {

using mtrk::smtp::GateOutboundSession;

class Player : public mtrk::GatePlayer {
 public:
  explicit Player(GateOutboundSession& session) : GatePlayer(session), outbound_(session) {}

 private:
  void look_up() override {
    ++looked_up_;
    if (looked_up_ % 3 == 0 || !outbound_.transaction().takes_mtrk) {
      outbound_.answer_look_up({std::nullopt, true, {}});
      return;
    }
    outbound_.answer_look_up(
        {mtrk::smtp::Onward{"e@h", *mtrk::parse_mtrk_param("AAAAAAAAAAAAAAAAAAAAAAAAAAA:940")},
         false, "4jWzjj46J4z1V"});
  }

  GateOutboundSession& outbound_;
  unsigned looked_up_ = 0;
};

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
  mtrk::require_own_tags(player.to_client(), "true.example");
  return 0;
}

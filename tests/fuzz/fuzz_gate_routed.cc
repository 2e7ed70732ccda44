// The outbound gate whose next hop is chosen by the recipients, with hostile next hops and an odd
// mail system; script as for the inbound one. Lines are whole, and a tag is only ever ours.
#include "milter/gate/session/routed.h"
#include "tests/fuzz/gate_player.h"

#include <memory>
#include <optional>

namespace {

using mtrk::smtp::GateRoutedSession;
using mtrk::smtp::TlsUse;

class Player : public mtrk::GatePlayer {
 public:
  Player(GateRoutedSession& session, std::uint8_t mode)
      : GatePlayer(session), routed_(session), mode_(mode) {}

 private:
  void look_up() override {
    if (++steps_ % 3 == 0 || !routed_.transaction().takes_mtrk) {
      routed_.answer_look_up({std::nullopt, true, {}});
      return;
    }
    routed_.answer_look_up(
        {mtrk::smtp::Onward{"e@h", *mtrk::parse_mtrk_param("AAAAAAAAAAAAAAAAAAAAAAAAAAA:940")},
         false, "4jWzjj46J4z1V"});
  }
  void choose_next_hop() override {
    mtrk::require(!routed_.domain().empty());
    if (++steps_ % 4 == 0) {
      routed_.take_no_place("550 5.1.2 no");
    } else if (mode_ % 2 == 0) {
      routed_.take_places({{"true.example", "192.0.2.1", 25, "r"}});
    } else {
      routed_.take_places(
          {{"true.example", "192.0.2.1", 25, "r"}, {"true.example", "192.0.2.2", 25, "r"}});
    }
  }

  GateRoutedSession& routed_;
  std::uint8_t mode_;
  unsigned steps_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  auto routes = std::make_shared<mtrk::smtp::GateRoutes>(
      mtrk::smtp::GateRoute{"", 0, static_cast<TlsUse>(data[0] % 3)});
  routes->add("b", {"h", 25, TlsUse::none});
  routes->add(".b", {"h", 25, TlsUse::required});
  GateRoutedSession session({"gate.example", TlsUse::none, true}, routes);
  Player player(session, data[0] / 3);
  const mtrk::FuzzInput script(data + 1, size - 1);
  play(script, player, (data[0] & 64) != 0 ? 1 : 1U << 16);
  mtrk::require(mtrk::has_whole_line_ends(player.to_server()));
  mtrk::require_own_tags(player.to_client(), "true.example");
  return 0;
}

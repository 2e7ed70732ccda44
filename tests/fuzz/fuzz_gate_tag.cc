// Any reply: a tag that is found is the one that is written again, and the one that is put in is
// the one that is found, whatever stands behind it.
#include "common/track/gate_tag.h"
#include "tests/fuzz/gate_player.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  if (const auto tag = mtrk::find_gate_tag(text)) {
    mtrk::require(mtrk::find_gate_tag("250 " + mtrk::format_gate_tag(*tag)) == tag);
  }
  const mtrk::GateTag ours{true, "mx.example", "192.0.2.1", "25"};
  mtrk::require(mtrk::find_gate_tag("250 " + mtrk::insert_gate_tag(text, ours)) == ours);
  return 0;
}

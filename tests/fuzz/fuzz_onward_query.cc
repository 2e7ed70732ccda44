// Frames between mtrk-gate and mtrk-milter, from either side: any octets are read in time that is
// linear in them, and what is understood is written as the same octets again.
#include "common/track/onward_query.h"
#include "tests/fuzz/fuzz_input.h"

#include <cstdlib>

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace wire = mtrk::onward_wire;
  std::string_view in(reinterpret_cast<const char*>(data), size);
  for (;;) {
    const std::string_view before = in;
    const auto frame = wire::take_frame(in);
    if (!frame || !*frame) {
      require(in == before);
      return 0;
    }
    const std::string_view octets = before.substr(0, before.size() - in.size());
    require(octets.size() == (*frame)->size() + 4);
    std::string again;
    const auto question = wire::decode_question(**frame);
    if (question) {
      require(wire::put_question(again, *question));
      require(again == octets);
    }
    if (const auto answer = wire::decode_answer(**frame)) {
      require(!question);
      require(!answer->verdict ||
              answer->verdict->mtrk.has_value() ==
                  (answer->verdict->kind == mtrk::OnwardVerdict::Kind::pass_on));
      wire::put_answer(again, *answer);
      require(again == octets);
    }
  }
}

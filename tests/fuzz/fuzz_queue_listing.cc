#include "common/track/queue_id.h"
#include "milter/feed/queue_listing.h"
#include "tests/fuzz/fuzz_input.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// The list of a queue, of either MTA, whole and in pieces: the same messages, all with queue ids.
namespace {

void check(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void read(mtrk::Mta mta, std::string_view text, std::size_t step) {
  const auto whole = mtrk::make_queue_listing(mta);
  whole->feed(text);
  const auto pieces = mtrk::make_queue_listing(mta);
  for (std::size_t i = 0; i < text.size(); i += step) {
    pieces->feed(text.substr(i, step));
  }
  check(whole->finish() == pieces->finish());
  const auto& a = whole->messages();
  const auto& b = pieces->messages();
  check(std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.queue_id == y.queue_id && x.arrival == y.arrival;
  }));
  check(std::all_of(a.begin(), a.end(), [](const auto& message) {
    return mtrk::QueueId::is_queue_id(message.queue_id);
  }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t step = size == 0 ? 1 : data[0] % 16 + 1U;
  read(mtrk::Mta::postfix, text, step);
  read(mtrk::Mta::sendmail, text, step);
  return 0;
}

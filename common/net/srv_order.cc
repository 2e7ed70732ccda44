#include "common/net/srv_order.h"

#include <algorithm>
#include <tuple>

namespace mtrk::net {
namespace {

using Iterator = std::vector<SrvRecord>::iterator;

// Draws by weight as RFC 2782 describes: of the records not yet placed, the next is the first whose
// running sum of weights reaches a random number. Records of weight 0 stand before the others, so
// that they can be drawn, but rarely before those with a weight.
void draw_by_weight(Iterator begin, Iterator end, const RandomNumber& random) {
  for (; end - begin > 1; ++begin) {
    std::uint32_t sum = 0;  // at most 65 537 weights of 16 bits: no overflow
    std::for_each(begin, end, [&](const SrvRecord& record) { sum += record.weight; });
    const std::uint32_t drawn = random(sum);
    std::uint32_t running = 0;
    const Iterator next = std::find_if(begin, end, [&](const SrvRecord& record) {
      running += record.weight;
      return running >= drawn;
    });
    std::rotate(begin, next == end ? end - 1 : next, next == end ? end : next + 1);
  }
}

}  // namespace

void order_srv(std::vector<SrvRecord>& records, const RandomNumber& random) {
  std::stable_sort(records.begin(), records.end(), [](const SrvRecord& a, const SrvRecord& b) {
    return std::tuple(a.priority, a.weight != 0) < std::tuple(b.priority, b.weight != 0);
  });
  for (Iterator begin = records.begin(); begin != records.end();) {
    const Iterator end = std::find_if(begin, records.end(), [&](const SrvRecord& record) {
      return record.priority != begin->priority;
    });
    draw_by_weight(begin, end, random);
    begin = end;
  }
}

}  // namespace mtrk::net

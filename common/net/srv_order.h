#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mtrk::net {

// One SRV record, RFC 2782. An empty target is the root: the service is decidedly not offered.
struct SrvRecord {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  std::string target;  // as it came, without the final dot: a stranger's text
};

// A number from 0 to `most`, both included, all equally likely.
using RandomNumber = std::function<std::uint32_t(std::uint32_t most)>;

// Puts the records into the order in which a client tries them (SRV-02, SRV-03): by priority, the
// lowest first; within one priority drawn by weight. Pure but for `random`.
void order_srv(std::vector<SrvRecord>& records, const RandomNumber& random);

}  // namespace mtrk::net

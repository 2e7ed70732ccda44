#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mtrk::net {

// An SrvRecord is a record of RFC 2782. An empty target is the root and means that the service is
// not offered.
struct SrvRecord {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  std::string target;  // as received, without the final dot; not checked
};

// Returns a number from 0 to `most`, both included, all equally likely.
using RandomNumber = std::function<std::uint32_t(std::uint32_t most)>;

// Sorts the records into the order in which a client tries them (SRV-02, SRV-03): the lowest
// priority first, and within one priority drawn by weight. Pure except for `random`.
void order_srv(std::vector<SrvRecord>& records, const RandomNumber& random);

}  // namespace mtrk::net

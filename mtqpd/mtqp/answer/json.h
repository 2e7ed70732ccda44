#pragma once

#include "mtqpd/mtqp/answer/hops.h"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

// Formats answers in the schemas of mtqp(1), version 1. Times are RFC 3339 in UTC. Texts of servers
// are printable ASCII, with other octets as \xHH.
namespace mtrk::cli {

// Returns one hop as a JSON object on one line, with the line end.
[[nodiscard]] std::string format_hop(std::size_t number, const Hop& hop);

// Returns the merged view as one object on one line, with the line end. It has a member of
// `recipients` for each journey, whose `path` lists the stages.
[[nodiscard]] std::string format_merged(const Travel& travel);

// Returns a member that is a text; empty if the member is missing or something else.
[[nodiscard]] std::string text_member(const boost::json::object& object, std::string_view name);

}  // namespace mtrk::cli

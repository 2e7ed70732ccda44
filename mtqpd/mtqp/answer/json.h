#pragma once

#include "mtqpd/mtqp/answer/hops.h"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

// The schemas of mtqp(1), version 1. Times are RFC 3339 in UTC; texts of servers are printable
// ASCII (others as \xHH).
namespace mtrk::cli {

// One hop as a JSON object on one line with its line end.
[[nodiscard]] std::string format_hop(std::size_t number, const Hop& hop);

// The merged view: one object on one line with its line end, a member of `recipients` for each
// journey, its `path` the stages of it.
[[nodiscard]] std::string format_merged(const Travel& travel);

// A member that is a text; empty if it is not there or something else.
[[nodiscard]] std::string text_member(const boost::json::object& object, std::string_view name);

}  // namespace mtrk::cli

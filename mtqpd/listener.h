#pragma once

#include "common/net/listener.h"

namespace mtrk::mtqpd {

using net::adopt_listener;
using net::format_endpoint;
using net::open_listener;
using net::parse_endpoint;
using net::require_free;
using net::Sharing;
using net::tune;

}  // namespace mtrk::mtqpd

#pragma once

#include "common/config/config.h"

#include <string>

namespace mtrk {

// Returns the path of the socket on which mtrk-milter answers mtrk-gate: milter.gate_socket if it
// is set, and otherwise gate.sock in the folder of milter.socket, or in /run/mtrk if that is a TCP
// socket.
[[nodiscard]] std::string gate_socket_path(const Config& config);

}  // namespace mtrk

#pragma once

#include "common/config/config.h"

#include <string>

namespace mtrk {

// The path of the socket where mtrk-milter answers mtrk-gate: milter.gate_socket, else gate.sock in
// the folder of milter.socket, or in /run/mtrk if that is TCP.
[[nodiscard]] std::string gate_socket_path(const Config& config);

}  // namespace mtrk

#pragma once

#include <string_view>

namespace mtrk::cli {

// Bytes of a dialogue on standard error, line by line behind "> " or "< ", escaped.
void print_dialogue(char direction, std::string_view bytes);

}  // namespace mtrk::cli

#pragma once

#include <string_view>

namespace mtrk::cli {

// Prints octets of a dialogue on standard error, escaped, each line after "> " or "< ".
void print_dialogue(char direction, std::string_view bytes);

}  // namespace mtrk::cli

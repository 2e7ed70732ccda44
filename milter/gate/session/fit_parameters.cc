#include "milter/gate/session/fit_parameters.h"

#include "common/base/ascii.h"
#include "common/smtp/command.h"

namespace mtrk::smtp {
namespace {

bool is_dropped(std::string_view keyword, const Extensions& offered) {
  if (iequals(keyword, "ENVID") || iequals(keyword, "ORCPT")) {
    return !offered.dsn && !offered.mtrk;
  }
  if (iequals(keyword, "RET") || iequals(keyword, "NOTIFY")) {
    return !offered.dsn;
  }
  if (iequals(keyword, "SIZE")) {
    return !offered.size;
  }
  return iequals(keyword, "BODY") && !offered.eightbitmime;  // 7BIT is what is meant anyway
}

}  // namespace

FittedCommand fit_parameters(std::string_view line, const Extensions& offered) {
  FittedCommand fitted;
  const Expected<PathCommand> command = parse_path_command(line);
  if (!command) {
    fitted.line = line;
    return fitted;
  }
  std::size_t from = 0;
  for (const Parameter& parameter : command->parameters) {
    const bool eight_bits = iequals(parameter.keyword, "BODY") && !iequals(parameter.value, "7BIT");
    if (eight_bits && !offered.eightbitmime) {  // RFC 6152 §3
      fitted.refusal = "554 5.6.3 The next hop does not take 8-bit messages";
    } else if (iequals(parameter.keyword, "SMTPUTF8") && !offered.smtputf8) {  // RFC 6531 §3.2
      fitted.refusal = "550 5.6.7 The next hop does not take SMTPUTF8";
    } else if (is_dropped(parameter.keyword, offered)) {
      fitted.line.append(line, from, parameter.begin - from);
      from = parameter.end;
    }
  }
  fitted.line.append(line, from);
  return fitted;
}

}  // namespace mtrk::smtp

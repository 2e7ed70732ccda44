#include "common/smtp/extensions.h"

#include "common/base/ascii.h"

namespace mtrk::smtp {

Extensions parse_ehlo(const Reply& reply) {
  Extensions extensions;
  for (std::size_t i = 1; i < reply.lines.size(); ++i) {
    const std::string_view line = reply.lines[i];
    const std::string_view keyword = line.substr(0, line.find(' '));
    extensions.mtrk |= iequals(keyword, "MTRK");
    extensions.dsn |= iequals(keyword, "DSN");
    extensions.starttls |= iequals(keyword, "STARTTLS");
    extensions.eightbitmime |= iequals(keyword, "8BITMIME");
    extensions.smtputf8 |= iequals(keyword, "SMTPUTF8");
    extensions.size |= iequals(keyword, "SIZE");
    extensions.pipelining |= iequals(keyword, "PIPELINING");
  }
  return extensions;
}

}  // namespace mtrk::smtp

#pragma once

#include "common/base/expected.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// SMTP commands as a proxy reads them: only as far as it has to act on them, with the exact octets
// of each part, so that everything else can be passed on verbatim. RFC 5321 §4.1, RFC 3461 §4.
namespace mtrk::smtp {

enum class Verb {
  ehlo,
  helo,
  lhlo,  // LMTP, RFC 2033
  mail,
  rcpt,
  data,
  bdat,
  rset,
  quit,
  auth,
  starttls,
  xclient,
  xforward,
  other,  // NOOP, VRFY, what we do not know
};
// The first word in any case; `line` is without its CRLF.
[[nodiscard]] Verb verb_of(std::string_view line);
// A letter, then letters, digits and "-", then a blank, a tab or the end. Of such a line every
// server reads the same verb. Others begin with what one server skips and another does not, or have
// such an octet behind the verb (Postfix: all of isspace(3)): a command that is to be kept from the
// server could hide in them.
[[nodiscard]] bool has_plain_verb(std::string_view line);

// `keyword=value` or `keyword` behind the path. Views into the line that was parsed.
struct Parameter {
  std::string_view keyword;
  std::string_view value;
  std::size_t begin = 0;  // of the blanks in front of it: erase [begin, end) to take it away
  std::size_t end = 0;
};

// MAIL FROM:<path> parameters, RCPT TO:<path> parameters. `path` is without its brackets; one that
// was given without them (MAIL FROM:a@b) is taken up to the next blank. Quoted strings in the path
// may hold anything, also ">" and " MTRK=". Fails: no colon, no path, an open quote or bracket.
struct PathCommand {
  std::string_view path;
  std::vector<Parameter> parameters;

  [[nodiscard]] const Parameter* find(std::string_view keyword) const;  // the first one; any case
  [[nodiscard]] std::size_t count(std::string_view keyword) const;
};
[[nodiscard]] Expected<PathCommand> parse_path_command(std::string_view line);

// BDAT <octets> [LAST] (RFC 3030 §2). Fails: no number, more than 18 digits, anything else behind.
struct Chunk {
  std::uint64_t octets = 0;
  bool last = false;
};
[[nodiscard]] Expected<Chunk> parse_bdat(std::string_view line);

}  // namespace mtrk::smtp

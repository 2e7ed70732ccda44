#pragma once

#include "common/base/expected.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// These functions parse SMTP commands for a proxy: only as far as it must act on them, and with the
// exact octets of each part, so that everything else can be passed on verbatim (RFC 5321 §4.1, RFC
// 3461 §4).
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
  other,  // NOOP, VRFY and unknown verbs
};
// Returns the verb, which may be in any case. `line` is without its CRLF.
[[nodiscard]] Verb verb_of(std::string_view line);
// Returns whether the line begins with a letter, then letters, digits and "-", then a blank, a tab
// or its end. Every server reads the same verb from such a line. In other lines there are octets
// before or after the verb that some servers skip and others do not (Postfix skips all of
// isspace(3)), and in those a command could hide that must not reach the server.
[[nodiscard]] bool has_plain_verb(std::string_view line);

// A Parameter is a `keyword=value` or `keyword` after the path. It holds views into the parsed
// line.
struct Parameter {
  std::string_view keyword;
  std::string_view value;
  std::size_t begin = 0;  // start of the blanks before it: erase [begin, end) to remove it
  std::size_t end = 0;
};

// A PathCommand is MAIL FROM:<path> or RCPT TO:<path> with its parameters. `path` is without its
// brackets; a path without brackets (MAIL FROM:a@b) ends at the next blank. Quoted strings in the
// path may hold anything, also ">" and " MTRK=".
struct PathCommand {
  std::string_view path;
  std::vector<Parameter> parameters;

  // Returns the first parameter with this keyword (in any case), or null if there is none.
  [[nodiscard]] const Parameter* find(std::string_view keyword) const;
  [[nodiscard]] std::size_t count(std::string_view keyword) const;
};
// Fails if the colon or the path is missing, or if a quote or bracket is not closed.
[[nodiscard]] Expected<PathCommand> parse_path_command(std::string_view line);

// A Chunk is BDAT <octets> [LAST] (RFC 3030 §2). Parsing fails if there is no number, if it has
// more than 18 digits, or if anything but LAST follows it.
struct Chunk {
  std::uint64_t octets = 0;
  bool last = false;
};
[[nodiscard]] Expected<Chunk> parse_bdat(std::string_view line);

}  // namespace mtrk::smtp

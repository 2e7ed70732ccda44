#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// These functions decode UTF-8 (RFC 3629) one character at a time, and make text safe for the
// terminal or the JSON reader that it is shown to.
namespace mtrk {

struct Utf8Character {
  char32_t code;
  std::size_t octets;  // 0 if the text does not begin with well-formed UTF-8
};

// Decodes the character at the front of `text`, which must not be empty. Overlong forms, surrogates
// and values over U+10FFFF are not well-formed.
[[nodiscard]] Utf8Character decode_utf8(std::string_view text);

// Returns whether a terminal only draws the character: it is not a control (C0, DEL, C1), does not
// change the direction of the text beside it (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to
// U+206F), does not begin a line (U+2028, U+2029), and is not an invisible tag (U+E0000 to
// U+E007F).
[[nodiscard]] bool is_harmless(char32_t code);

// Returns how many columns of a terminal the character takes: 0 if it is drawn onto the one before,
// 2 for ideographs, emoji and the like, otherwise 1.
[[nodiscard]] unsigned columns_of(char32_t code);

// Makes `text` fit for display: harmless characters stay as they are; each octet of any other
// character, and of anything that is not UTF-8, becomes \xHH. The result is cut at `limit` octets;
// "[cut]" is then appended to it. For an ASCII screen use escape_for_people() (ascii.h), which
// escapes all that is not ASCII.
[[nodiscard]] std::string escape_for_display(std::string_view text, std::size_t limit = 512);

// Returns the columns that a text takes, which should be harmless and well-formed; an octet that is
// not UTF-8 counts as one column.
[[nodiscard]] std::size_t display_columns(std::string_view text);

// Escapes `json`, one JSON document or several lines of JSON as a serializer made them: each
// character that is not harmless becomes \uXXXX, and each octet that is not UTF-8 becomes \ufffd.
// In JSON these occur in strings only, so the meaning of the document stays the same. Line feeds
// between documents are kept.
[[nodiscard]] std::string escape_json(std::string_view json);

// Writes \uXXXX at `out`, or a surrogate pair of them for a code above U+FFFF, and returns the end
// of what it wrote. There must be room for 12 octets.
char* put_json_escape(char32_t code, char* out);

}  // namespace mtrk

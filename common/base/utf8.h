#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// UTF-8 (RFC 3629) one character at a time, and what a character does to the screen or the reader
// it is shown to.
namespace mtrk {

struct Utf8Character {
  char32_t code;
  std::size_t octets;  // 0 if the text does not begin with well-formed UTF-8
};

// The character at the front of `text`, which is not empty: shortest form, no surrogates, nothing
// over U+10FFFF.
[[nodiscard]] Utf8Character decode_utf8(std::string_view text);

// Whether a terminal draws it and does nothing else: it is no control (C0, DEL, C1), does not turn
// the direction of what stands beside it (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to
// U+206F), does not begin a line (U+2028, U+2029), and is no invisible tag (U+E0000 to U+E007F).
[[nodiscard]] bool is_harmless(char32_t code);

// How many columns of a terminal it takes: 0 if it is drawn onto the one before, 2 for ideographs,
// emoji and the like, else 1.
[[nodiscard]] unsigned columns_of(char32_t code);

// `text` for the eyes of people: harmless characters as they are, each octet of anything else, and
// of what is not UTF-8, as \xHH. Cut to `limit` octets, with "[cut]" appended. Where the screen
// shows ASCII only, escape_for_people() (ascii.h) does the same for all that is not ASCII.
[[nodiscard]] std::string escape_for_display(std::string_view text, std::size_t limit = 512);

// Of a text that is harmless and well-formed; octets that are not count as one column each.
[[nodiscard]] std::size_t display_columns(std::string_view text);

// `json`, a document or lines of JSON as a serializer made them, with each character that is not
// harmless as \uXXXX and each octet that is not UTF-8 as \ufffd. In JSON these stand in strings
// alone, so that the document means the same; line feeds between documents stay.
[[nodiscard]] std::string escape_json(std::string_view json);

// Appends \uXXXX, two of them (a surrogate pair) for what is over U+FFFF. Returns the end; there is
// room for 12 octets.
char* put_json_escape(char32_t code, char* out);

}  // namespace mtrk

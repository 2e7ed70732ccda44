#pragma once

#include "common/maillog/field_scanner.h"

#include <optional>
#include <string_view>

// Fields that the grammars do not know: later releases and patched ones add some, at any place
// among those that we do know. Each is skipped by its position, nothing is searched for.
//
// What a value of these holds we cannot know, thus neither whether the other side wrote part of it.
// A value in quotes or angle brackets ends with them, whatever stands within. One without might go
// on as if there were further fields: then the true fields follow, in what is taken for the text.
// So a line with such a field is believed only if its text does not look so.
namespace mtrk::maillog {

// Skips "key=value, " and returns the key. Nothing if that does not come next, or if quotes or
// brackets do not end.
[[nodiscard]] std::optional<std::string_view> take_other_field(FieldScanner& scan);

// Whether a text, which should be the last of its line, has the fields that stand before a text.
[[nodiscard]] bool holds_fields(std::string_view text);

// An address without its brackets, as logs have it that went through HTML or a tool that took them
// off ("&lt;" and "&gt;" count as none): only if nothing in it could be more than an address, and
// the field ends behind it. Nothing, and nothing consumed, else.
[[nodiscard]] std::optional<std::string_view> take_bare_address(FieldScanner& scan);

}  // namespace mtrk::maillog

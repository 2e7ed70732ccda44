#pragma once

#include "common/maillog/field_scanner.h"

#include <optional>
#include <string_view>

// These functions skip fields that the grammars do not know. Later releases and patched ones add
// some, anywhere among the fields that we do know. Each is skipped by its position; nothing is
// searched for.
//
// We cannot know what the value of such a field contains, nor whether the remote side wrote part of
// it. A value in quotes or angle brackets ends with them, whatever it contains. A value without
// them might continue with text that looks like further fields; then the true fields would end up
// in what is taken for the text. So a line with such a field is believed only if its text does not
// look like fields.
namespace mtrk::maillog {

// Skips "key=value, " and returns the key. Returns nothing if that does not come next, or if quotes
// or brackets are not closed.
[[nodiscard]] std::optional<std::string_view> take_other_field(FieldScanner& scan);

// Returns whether a text, which should be the last part of its line, contains fields that belong
// before a text.
[[nodiscard]] bool holds_fields(std::string_view text);

// Takes an address without brackets. Logs have such addresses if they went through HTML or through
// a tool that removed the brackets ("&lt;" and "&gt;" count as none). The address is taken only if
// nothing in it could be more than an address and the field ends after it. Otherwise returns
// nothing and consumes nothing.
[[nodiscard]] std::optional<std::string_view> take_bare_address(FieldScanner& scan);

}  // namespace mtrk::maillog

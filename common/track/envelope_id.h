#pragma once

#include "common/base/expected.h"

#include <optional>
#include <string>
#include <string_view>

namespace mtrk {

// The unique-envid of RFC 3885 §3.2: local-envid "@" fqhn. Held decoded; both parts non-empty,
// printable ASCII (33..126 and inner blanks, RFC 3461 §4.4), at most 100 octets as xtext. '@' may
// occur in the local part, so the id splits at the last one. Comparison is by octets (A-33).
class EnvelopeId {
 public:
  static constexpr std::size_t kMaxXtext = 100;  // RFC 3461 §4.4

  [[nodiscard]] static Expected<EnvelopeId> parse_xtext(std::string_view xtext);
  [[nodiscard]] static Expected<EnvelopeId> from_decoded(std::string_view decoded);

  [[nodiscard]] const std::string& decoded() const { return decoded_; }
  [[nodiscard]] std::string xtext() const;
  [[nodiscard]] std::string_view fqhn() const;  // after the last '@'; a view into this object
  // Whose id it is, for rules about domains: the fqhn as a host name is written, without what only
  // encloses the id ('>') or is no matter (the last dot). All spellings that a look-up takes for
  // the same id have the same domain. A view into this object; empty if nothing is left.
  [[nodiscard]] std::string_view domain() const;

  // For "<id>" the id without its brackets; otherwise nothing (A-11).
  [[nodiscard]] std::optional<EnvelopeId> without_brackets() const;

  bool operator==(const EnvelopeId&) const = default;

 private:
  explicit EnvelopeId(std::string decoded) : decoded_(std::move(decoded)) {}
  std::string decoded_;
};

}  // namespace mtrk

#pragma once

#include "common/base/expected.h"

#include <optional>
#include <string>
#include <string_view>

namespace mtrk {

// An EnvelopeId is a unique-envid of RFC 3885 §3.2: local-envid "@" fqhn. It is held decoded. Both
// parts are non-empty and printable ASCII (33..126 and inner blanks, RFC 3461 §4.4), and the id has
// at most 100 octets as xtext. The local part may contain '@', so the id is split at the last one.
// Ids are compared octet by octet (A-33).
class EnvelopeId {
 public:
  static constexpr std::size_t kMaxXtext = 100;  // RFC 3461 §4.4

  [[nodiscard]] static Expected<EnvelopeId> parse_xtext(std::string_view xtext);
  [[nodiscard]] static Expected<EnvelopeId> from_decoded(std::string_view decoded);

  [[nodiscard]] const std::string& decoded() const { return decoded_; }
  [[nodiscard]] std::string xtext() const;
  // Returns the part after the last '@', as a view into this object.
  [[nodiscard]] std::string_view fqhn() const;
  // Returns the domain for rules about domains: the fqhn without what does not belong to a host
  // name, such as a closing '>' or the final dot. All spellings that a look-up treats as the same
  // id have the same domain. The result is a view into this object; it is empty if nothing is left.
  [[nodiscard]] std::string_view domain() const;

  // Returns "id" for "<id>", and otherwise nothing (A-11).
  [[nodiscard]] std::optional<EnvelopeId> without_brackets() const;

  bool operator==(const EnvelopeId&) const = default;

 private:
  explicit EnvelopeId(std::string decoded) : decoded_(std::move(decoded)) {}
  std::string decoded_;
};

}  // namespace mtrk

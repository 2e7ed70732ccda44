#include "common/track/envelope_id.h"

#include "common/base/ascii.h"
#include "common/track/xtext.h"

namespace mtrk {
namespace {

// Returns what is wrong with a decoded id, or nothing. The length is not checked here: it counts as
// xtext.
std::optional<Error> fault_of(std::string_view id) {
  if (!all_printable(id)) {
    return Error{ErrorCode::syntax, "ENVID is not printable ASCII"};
  }
  if (!id.empty() && (id.front() == ' ' || id.back() == ' ')) {
    return Error{ErrorCode::syntax, "ENVID begins or ends with a blank"};
  }
  const std::size_t at = id.rfind('@');
  if (at == std::string_view::npos) {
    return Error{ErrorCode::syntax, "ENVID has no '@'"};
  }
  if (at == 0 || at + 1 == id.size()) {
    return Error{ErrorCode::syntax, "ENVID has nothing before or after its '@'"};
  }
  return std::nullopt;
}

}  // namespace

Expected<EnvelopeId> EnvelopeId::parse_xtext(std::string_view xtext) {
  if (xtext.size() > kMaxXtext) {
    return fail(ErrorCode::too_long, "ENVID over 100 octets");
  }
  Expected<std::string> decoded = decode_xtext(xtext);
  if (!decoded) {
    return fail(ErrorCode::syntax, "ENVID is not xtext");
  }
  if (std::optional<Error> fault = fault_of(*decoded)) {
    return Unexpected(*std::move(fault));
  }
  return EnvelopeId(*std::move(decoded));
}

Expected<EnvelopeId> EnvelopeId::from_decoded(std::string_view decoded) {
  if (decoded.size() > kMaxXtext || encode_xtext(decoded).size() > kMaxXtext) {
    return fail(ErrorCode::too_long, "ENVID over 100 octets");
  }
  if (std::optional<Error> fault = fault_of(decoded)) {
    return Unexpected(*std::move(fault));
  }
  return EnvelopeId(std::string(decoded));
}

std::string EnvelopeId::xtext() const {
  return encode_xtext(decoded_);
}

std::string_view EnvelopeId::fqhn() const {
  return std::string_view(decoded_).substr(decoded_.rfind('@') + 1);
}

std::string_view EnvelopeId::domain() const {
  const std::string_view name = fqhn();
  return name.substr(0, name.find_last_not_of("> .") + 1);
}

std::optional<EnvelopeId> EnvelopeId::without_brackets() const {
  if (decoded_.front() != '<' || decoded_.back() != '>') {
    return std::nullopt;
  }
  Expected<EnvelopeId> bare =
      from_decoded(std::string_view(decoded_).substr(1, decoded_.size() - 2));
  if (!bare) {
    return std::nullopt;
  }
  return *std::move(bare);
}

}  // namespace mtrk

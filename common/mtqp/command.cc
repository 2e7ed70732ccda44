#include "common/mtqp/command.h"

#include "common/base/ascii.h"

#include <algorithm>

namespace mtrk::mtqp {
namespace {

constexpr std::size_t kMaxDomain = 253;  // RFC 1035 §2.3.4, in text form
constexpr std::size_t kMaxLabel = 63;

// Removes the word at the front of `text` and the white space after it, and returns the word.
std::string_view take_word(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && !is_wsp(text[end])) {
    ++end;
  }
  const std::string_view word = text.substr(0, end);
  while (end < text.size() && is_wsp(text[end])) {
    ++end;
  }
  text.remove_prefix(end);
  return word;
}

// Returns whether the line consists of printable ASCII and TAB.
bool is_command_text(std::string_view line) {
  return all_printable(line) ||
         std::all_of(line.begin(), line.end(), [](char c) { return is_printable(c) || c == '\t'; });
}

Keyword find_keyword(std::string_view word) {
  if (iequals(word, "TRACK")) {
    return Keyword::track;
  }
  if (iequals(word, "COMMENT")) {
    return Keyword::comment;
  }
  if (iequals(word, "STARTTLS")) {
    return Keyword::starttls;
  }
  return iequals(word, "QUIT") ? Keyword::quit : Keyword::unknown;
}

Expected<Command> parse_track(std::string_view arguments) {
  const std::string_view id_text = take_word(arguments);
  if (id_text.empty() || arguments.empty()) {
    return fail(ErrorCode::syntax, "TRACK takes an envelope id and a secret");
  }
  Expected<EnvelopeId> envelope_id = EnvelopeId::parse_xtext(id_text);
  if (!envelope_id) {
    return fail(envelope_id.error().code, "not a unique-envid");
  }
  // White space in or after the secret is a foreign character.
  Expected<TrackingSecret> secret = TrackingSecret::parse_base64(arguments);
  if (!secret) {
    return fail(secret.error().code, "not a secret");
  }
  return Command(Track{std::move(*envelope_id), std::move(*secret)});
}

bool is_label(std::string_view label) {
  const auto is_ldh = [](char c) { return is_alnum(c) || c == '-'; };
  return !label.empty() && label.size() <= kMaxLabel && is_alnum(label.front()) &&
         is_alnum(label.back()) && std::all_of(label.begin(), label.end(), is_ldh);
}

}  // namespace

Keyword keyword_of(std::string_view line) {
  return is_command_text(line) ? find_keyword(take_word(line)) : Keyword::unknown;
}

Expected<Command> parse_command(std::string_view line) {
  std::string_view arguments = line;
  const std::string_view word = take_word(arguments);
  const Keyword keyword = is_command_text(line) ? find_keyword(word) : Keyword::unknown;
  switch (keyword) {
    case Keyword::track:
      return parse_track(arguments);
    case Keyword::comment:
      return Command(Comment{});
    case Keyword::starttls: {
      while (!arguments.empty() && is_wsp(arguments.back())) {
        arguments.remove_suffix(1);
      }
      std::optional<std::string> domain = parse_domain(arguments);
      if (!domain) {
        return fail(ErrorCode::syntax, "STARTTLS takes a fully qualified domain name");
      }
      return Command(StartTls{std::move(*domain)});
    }
    case Keyword::quit:
      if (line.size() != word.size()) {
        return fail(ErrorCode::syntax, "QUIT takes nothing");
      }
      return Command(Quit{});
    case Keyword::unknown:
      break;
  }
  return fail(ErrorCode::syntax, "unknown command");
}

std::optional<std::string> parse_domain(std::string_view text) {
  if (text.size() > kMaxDomain) {
    return std::nullopt;
  }
  std::size_t labels = 0;
  for (std::string_view rest = text;; ++labels) {
    const std::size_t dot = rest.find('.');
    if (!is_label(rest.substr(0, dot))) {
      return std::nullopt;
    }
    if (dot == std::string_view::npos) {
      ++labels;
      break;
    }
    rest.remove_prefix(dot + 1);
  }
  if (labels < 2) {
    return std::nullopt;
  }
  return to_lower(text);
}

std::string format_track(const EnvelopeId& envelope_id, const TrackingSecret& secret) {
  return "TRACK " + envelope_id.xtext() + ' ' + secret.to_base64();
}

}  // namespace mtrk::mtqp

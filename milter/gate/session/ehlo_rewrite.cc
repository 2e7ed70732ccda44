#include "milter/gate/session/ehlo_rewrite.h"

#include "common/base/ascii.h"
#include "common/track/enhanced_status.h"

#include <algorithm>
#include <array>

namespace mtrk::smtp {
namespace {

// These extensions are missing on purpose: STARTTLS, which ends here; XCLIENT and XFORWARD, with
// which a client could pretend to be another one; MTRK, AUTH, CHUNKING and BINARYMIME, about which
// is_kept() decides; REQUIRETLS, which concerns this very connection; TURN and ATRN, which turn it
// round; and PIPE_CONNECT, with which a client would send before it is greeted.
constexpr std::array<std::string_view, 20> kCarried{
    "PIPELINING", "SIZE",          "VRFY",        "ETRN",      "ENHANCEDSTATUSCODES",
    "8BITMIME",   "DSN",           "SMTPUTF8",    "DELIVERBY", "EXPN",
    "HELP",       "LIMITS",        "MT-PRIORITY", "RRVS",      "NO-SOLICITING",
    "SUBMITTER",  "FUTURERELEASE", "BURL",        "CONPERM",   "CONNEG"};

std::string_view keyword_of(std::string_view line) {
  return line.substr(0, line.find_first_of(" ="));  // "AUTH=PLAIN" is an old spelling
}

bool is_kept(std::string_view keyword, const EhloRewrite& how) {
  if (iequals(keyword, "AUTH")) {
    return how.keep_auth;
  }
  if (iequals(keyword, "CHUNKING") || iequals(keyword, "BINARYMIME")) {
    return how.keep_chunking;
  }
  if (iequals(keyword, "MTRK")) {
    return how.keep_mtrk;
  }
  return std::any_of(kCarried.begin(), kCarried.end(),
                     [&](std::string_view known) { return iequals(known, keyword); });
}

}  // namespace

Reply rewrite_ehlo(const Reply& reply, const EhloRewrite& how) {
  Reply result;
  result.code = reply.code;
  for (std::size_t i = 0; i < reply.lines.size(); ++i) {
    if (i == 0 || is_kept(keyword_of(reply.lines[i]), how)) {
      result.lines.push_back(reply.lines[i]);
    }
  }
  if (how.add_starttls) {
    result.lines.emplace_back("STARTTLS");
  }
  if (how.add_dsn && find_keyword(result, "DSN") == nullptr) {
    result.lines.emplace_back("DSN");
  }
  if (how.add_mtrk) {
    result.lines.emplace_back("MTRK");
  }
  if (!how.add_xforward.empty()) {
    result.lines.push_back("XFORWARD " + std::string(how.add_xforward));
  }
  return result;
}

const char* find_keyword(const Reply& ehlo, std::string_view keyword) {
  for (std::size_t i = 1; i < ehlo.lines.size(); ++i) {
    const std::string& line = ehlo.lines[i];
    if (iequals(keyword_of(line), keyword)) {
      const std::size_t blank = std::min(line.find(' '), line.size());
      return line.c_str() + std::min(blank + 1, line.size());
    }
  }
  return nullptr;
}

void add_enhanced_codes(Reply& reply) {
  if (reply.intermediate()) {
    return;
  }
  for (std::string& line : reply.lines) {
    if (!parse_enhanced_status(std::string_view(line).substr(0, line.find(' ')))) {
      line.insert(0, std::to_string(reply.code / 100) + ".0.0 ");
    }
  }
}

std::string format_reply(const Reply& reply) {
  std::string text;
  const std::string code = std::to_string(reply.code);
  for (std::size_t i = 0; i < reply.lines.size(); ++i) {
    text.append(code).append(i + 1 < reply.lines.size() ? "-" : " ");
    for (const char c : reply.lines[i]) {
      const bool control = static_cast<unsigned char>(c) < 0x20 || c == '\x7f';
      text += control && c != '\t' ? '?' : c;
    }
    text += "\r\n";
  }
  return text;
}

}  // namespace mtrk::smtp

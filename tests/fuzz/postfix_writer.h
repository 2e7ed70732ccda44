#pragma once

#include "tests/fuzz/fuzz_input.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

// Writes log lines the way Postfix does (msg_vprintf, log_adhoc and the like), from parts of which
// many are the other side's.
namespace mtrk {

// printable(…, '?'): no control characters reach the log; the text is cut at 2000 octets.
inline std::string as_logged(std::string text, std::size_t limit = 2000) {
  text.resize(std::min(text.size(), limit));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      c = '?';
    }
  }
  return text;
}

// External form: the local part is quoted as a whole when it has to be.
inline std::string external_address(std::string_view local, std::string_view domain) {
  bool quote = local.empty() || local.front() == '.' || local.back() == '.';
  std::string quoted = "\"";
  for (const char c : local) {
    constexpr std::string_view kSpecials = " ()<>[]:;@\\,\"";
    quote = quote || kSpecials.find(c) != std::string_view::npos;
    if (c == '"' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  return (quote ? quoted + "\"" : std::string(local)) + "@" + std::string(domain);
}

template <std::size_t N>
std::string one_of(FuzzInput& in, const std::array<std::string_view, N>& choices) {
  return std::string(choices[in.below(N)]);
}

inline std::string queue_id(FuzzInput& in) {
  constexpr std::string_view kLong = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
  constexpr std::string_view kShort = "0123456789ABCDEF";
  const bool is_long = in.below(3) != 0;
  const std::string_view letters = is_long ? kLong : kShort;
  std::string id = is_long ? "4" : "";
  for (unsigned i = (is_long ? 10 : 6) + in.below(6); i > 0; --i) {
    id += letters[in.below(static_cast<unsigned>(letters.size()))];
  }
  return id;
}

// A header of each kind, with any syslog_name. RFC 5424 loses the service.
struct Header {
  std::string text;
  std::string service;  // as far as the line says
};
inline Header header(FuzzInput& in, const std::string& service) {
  const std::string name = one_of<4>(in, {"postfix", "postfix-out", "sm-relay", "postfix/10025"});
  const std::string tag = name + "/" + service;
  switch (in.below(4)) {
    case 0:
      return {"Nov 21 16:46:43 mx " + tag + "[1]: ", service};
    case 1:
      return {"2026-11-21T16:54:11.985366+00:00 mx.example.test " + tag + "[5854]: ", service};
    case 2:
      return {"<22>Nov  1 06:46:43 mx " + tag + "[77]: ", service};
    default:
      return {"<22>1 2026-11-21T16:54:11.985366+00:00 mx.example.test postfix 5854 - -  ", ""};
  }
}

}  // namespace mtrk

#include "milter/gate/session/client_identity.h"

#include "common/base/ascii.h"
#include "common/track/xtext.h"

#include <algorithm>

namespace mtrk::smtp {
namespace {

constexpr std::string_view kProxySignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr char kVersionAndCommand = 0x21;  // version 2, command PROXY
constexpr char kTcp4 = 0x11;
constexpr char kTcp6 = 0x21;

void append_u16(std::string& out, std::size_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}

// Calls visit(word) for each word of `text` until it returns true.
template <typename Visit>
bool any_word(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    if (end > 0 && visit(text.substr(0, end))) {
      return true;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

bool has_word(std::string_view text, std::string_view word) {
  return any_word(text, [&](std::string_view one) { return iequals(one, word); });
}

}  // namespace

std::string format_proxy_header(const SocketAddress& client, const SocketAddress& here) {
  if (client.octets.size() != here.octets.size()) {
    return {};
  }
  std::string header(kProxySignature);
  header += kVersionAndCommand;
  header += client.octets.size() == 4 ? kTcp4 : kTcp6;
  append_u16(header, 2 * client.octets.size() + 4);
  header.append(client.octets).append(here.octets);
  append_u16(header, client.port);
  append_u16(header, here.port);
  return header;
}

std::optional<std::string> format_xclient(const ClientIdentity& identity,
                                          std::string_view announced) {
  if (!has_word(announced, "ADDR")) {
    return std::nullopt;
  }
  const bool ipv6 = identity.client.octets.size() == 16;
  std::string line = "XCLIENT ADDR=" + std::string(ipv6 ? "IPV6:" : "") + identity.address;
  if (has_word(announced, "NAME")) {
    line += " NAME=";
    if (!identity.name.empty()) {
      line += encode_xtext(identity.name);
    } else {
      line += identity.name_unknown_for_now ? "[TEMPUNAVAIL]" : "[UNAVAILABLE]";
    }
  }
  if (has_word(announced, "PORT")) {
    line += " PORT=" + std::to_string(identity.client.port);
  }
  return line;
}

std::optional<std::string> find_attribute(std::string_view line, std::string_view keyword) {
  std::optional<std::string> value;
  any_word(line, [&](std::string_view word) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || !iequals(word.substr(0, equals), keyword)) {
      return false;
    }
    const std::string_view text = word.substr(equals + 1);
    if (iequals(text, "[UNAVAILABLE]") || iequals(text, "[TEMPUNAVAIL]")) {
      return true;
    }
    if (Expected<std::string> decoded = decode_xtext(text)) {
      value = *std::move(decoded);
    }
    return true;
  });
  return value;
}

}  // namespace mtrk::smtp

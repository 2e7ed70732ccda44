#include "common/smtp/submission.h"

#include "common/base/ascii.h"
#include "common/track/xtext.h"

#include <cassert>

namespace mtrk::smtp {

Carrier carrier_for(const Extensions& extensions) {
  if (extensions.mtrk) {
    return Carrier::mtrk;
  }
  return extensions.dsn ? Carrier::folded : Carrier::none;
}

std::string_view to_string(Carrier carrier) {
  switch (carrier) {
    case Carrier::mtrk:
      return "mtrk";
    case Carrier::folded:
      return "folded";
    case Carrier::none:
      break;
  }
  return "none";
}

std::size_t fold_size(const MtrkParam& param) {
  return fold_envid("", param).size();
}

Expected<std::string> check_path(std::string_view address) {
  bool quoted = false;
  for (std::size_t i = 0; i < address.size(); ++i) {
    const char c = address[i];
    if (!is_printable(c)) {
      return fail(ErrorCode::unsupported,
                  "an address that is not printable ASCII: " + escape_for_people(address, 80));
    }
    if (quoted && c == '\\') {
      ++i;  // a quoted-pair: the next octet is checked here
      if (i == address.size() || !is_printable(address[i])) {
        return fail(ErrorCode::syntax, "an address that ends in a backslash");
      }
      continue;
    }
    quoted ^= c == '"';
    if (!quoted && (c == ' ' || c == '<' || c == '>')) {
      return fail(ErrorCode::syntax,
                  "an address is a plain user@host: " + escape_for_people(address, 80));
    }
  }
  if (quoted) {
    return fail(ErrorCode::syntax, "a quotation mark is missing in an address");
  }
  return std::string(address);
}

std::string format_mail(std::string_view sender,
                        Carrier carrier,
                        const TrackedEnvelope* envelope,
                        bool eight_bit) {
  std::string line = "MAIL FROM:<" + std::string(sender) + ">";
  if (carrier != Carrier::none) {
    assert(envelope != nullptr);
    const std::string envid = envelope->envelope_id.xtext();
    if (carrier == Carrier::mtrk) {
      line += " MTRK=" + format_mtrk_param(envelope->mtrk) + " ENVID=" + envid;
    } else {
      line += " ENVID=" + fold_envid(envid, envelope->mtrk);
    }
  }
  if (eight_bit) {
    line += " BODY=8BITMIME";
  }
  return line;
}

std::string format_rcpt(std::string_view recipient, Carrier carrier) {
  std::string line = "RCPT TO:<" + std::string(recipient) + ">";
  if (carrier != Carrier::none) {
    line += " ORCPT=rfc822;" + encode_xtext(recipient);
  }
  return line;
}

std::string format_data(std::string_view message) {
  std::string out;
  out.reserve(message.size() + message.size() / 16 + 8);
  while (!message.empty()) {
    const std::size_t end = std::min(message.find_first_of("\r\n"), message.size());
    const std::string_view line = message.substr(0, end);
    if (!line.empty() && line.front() == '.') {
      out += '.';
    }
    out.append(line).append("\r\n");
    message.remove_prefix(end);
    if (message.substr(0, 2) == "\r\n") {
      message.remove_prefix(2);
    } else if (!message.empty()) {
      message.remove_prefix(1);
    }
  }
  return out += ".\r\n";
}

}  // namespace mtrk::smtp

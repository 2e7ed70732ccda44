#include "mtqpd/mtqp/send/message.h"

#include "common/base/ascii.h"

#include <algorithm>

namespace mtrk::cli {
namespace {

// Returns true for "Name:" at the start (RFC 5322 §2.2), where Name is printable octets but the
// colon.
bool begins_with_field(std::string_view text) {
  const std::size_t colon = text.find_first_of(":\r\n");
  return colon != std::string_view::npos && colon > 0 && text[colon] == ':' &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), is_vchar);
}

}  // namespace

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string complete_message(std::string_view input, const MessageFields& fields) {
  if (begins_with_field(input)) {
    return std::string(input);
  }
  std::string message = "From: <" + fields.from + ">\r\nTo: ";
  for (std::size_t i = 0; i < fields.to.size(); ++i) {
    message += (i == 0 ? "<" : ",\r\n <") + fields.to[i] + ">";
  }
  message += "\r\nDate: " + format_rfc5322_date(fields.date, Minutes(0)) + "\r\nMessage-Id: <" +
             fields.message_id + ">\r\nSubject: (no subject)\r\n";
  if (!is_ascii(input)) {
    message +=
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n";
  }
  return message.append("\r\n").append(input);
}

}  // namespace mtrk::cli

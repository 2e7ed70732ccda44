#pragma once

#include "common/base/time.h"
#include "common/maillog/delivery_event.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The text of one whole Sendmail record, all that follows "QUEUE-ID: ", without escapes.
namespace mtrk::maillog {

// Undoes `\\`, `\t`, `\n`, `\r` and `\ooo`, once; control characters that come out are shown as
// '?'. Appends to `out`.
void decode_log_text(std::string_view text, std::string& out);

// An address as Sendmail writes it, up to the next comma outside of quotes and angle brackets:
// "<user@host>", "user", "\user", "|\"program, args\"", "/file", ":include:/list". Takes it off the
// front of `text`; nothing if a quote or a bracket does not end.
[[nodiscard]] std::optional<std::string_view> take_sendmail_address(std::string_view& text);

// Without its brackets, if it is nothing but "<…>"; else as it is.
struct SendmailAddress {
  std::string_view address;
  bool bracketed;
};
[[nodiscard]] SendmailAddress without_brackets(std::string_view address);

// The members of a list: what "alias A => …" says. Not more than `most` are returned.
[[nodiscard]] std::vector<std::string_view> sendmail_targets(std::string_view targets,
                                                             std::size_t most);

// "[D+]HH:MM:SS", what delay= holds: nothing if it is none, or longer than any queue keeps a
// message.
[[nodiscard]] std::optional<Seconds> sendmail_interval(std::string_view text);

// The grammar of a delivery record (LogLevel 9):
//
//   to=A[,A…][ [more]], [ctladdr=X [(uid/gid)], ]delay=D, [xdelay=D, ][mailer=M, ]pri=N, [relay=R |
//   quarantine=Q, ][dsn=X.Y.Z, ][reply=…, ]stat=…
//
// in this order, with any other "key=value, " in between (other_field.h): compile-time options and
// later releases write tls_verify=, tls_version=, cipher=, ntries=, stage=, status=.
// `recipients` are as logged; the rest goes to `attempt`, which is the same for all of them.
struct SendmailDelivery {
  std::vector<std::string_view> recipients;
  Attempt attempt;
};
[[nodiscard]] bool parse_sendmail_delivery(std::string_view text, SendmailDelivery& delivery);

// Any other record; nothing if it is of no interest.
[[nodiscard]] std::optional<decltype(DeliveryEvent::what)> parse_sendmail_other(
    std::string_view text);

}  // namespace mtrk::maillog

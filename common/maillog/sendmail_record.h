#pragma once

#include "common/base/time.h"
#include "common/maillog/delivery_event.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// These functions parse the text of one whole Sendmail record: all that follows "QUEUE-ID: ",
// without escapes.
namespace mtrk::maillog {

// Undoes `\\`, `\t`, `\n`, `\r` and `\ooo`, once, and appends the result to `out`. Control
// characters that result are shown as '?'.
void decode_log_text(std::string_view text, std::string& out);

// Takes an address as Sendmail writes it off the front of `text`, up to the next comma outside of
// quotes and angle brackets: "<user@host>", "user", "\user", "|\"program, args\"", "/file",
// ":include:/list". Returns nothing if a quote or a bracket is not closed.
[[nodiscard]] std::optional<std::string_view> take_sendmail_address(std::string_view& text);

// Returns the address without its brackets if it is nothing but "<…>", and otherwise unchanged.
struct SendmailAddress {
  std::string_view address;
  bool bracketed;
};
[[nodiscard]] SendmailAddress without_brackets(std::string_view address);

// Returns the members of a list, as "alias A => …" names them, but at most `most`.
[[nodiscard]] std::vector<std::string_view> sendmail_targets(std::string_view targets,
                                                             std::size_t most);

// Parses "[D+]HH:MM:SS", the form of delay=. Returns nothing if `text` is not of this form, or
// longer than any queue keeps a message.
[[nodiscard]] std::optional<Seconds> sendmail_interval(std::string_view text);

// parse_sendmail_delivery() parses a delivery record (LogLevel 9):
//
//   to=A[,A…][ [more]], [ctladdr=X [(uid/gid)], ]delay=D, [xdelay=D, ][mailer=M, ]pri=N, [relay=R |
//   quarantine=Q, ][dsn=X.Y.Z, ][reply=…, ]stat=…
//
// The fields come in this order, with any other "key=value, " in between (other_field.h):
// compile-time options and later releases write tls_verify=, tls_version=, cipher=, ntries=,
// stage=, status=. `recipients` are as logged; the rest goes into `attempt`, which is the same for
// all of them. Returns false if `text` is no such record.
struct SendmailDelivery {
  std::vector<std::string_view> recipients;
  Attempt attempt;
};
[[nodiscard]] bool parse_sendmail_delivery(std::string_view text, SendmailDelivery& delivery);

// Parses any other record. Returns nothing if it is of no interest.
[[nodiscard]] std::optional<decltype(DeliveryEvent::what)> parse_sendmail_other(
    std::string_view text);

}  // namespace mtrk::maillog

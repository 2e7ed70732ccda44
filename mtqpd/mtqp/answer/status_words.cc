#include "mtqpd/mtqp/answer/status_words.h"

#include <algorithm>
#include <iterator>

namespace mtrk::cli {
namespace {

struct Entry {
  std::uint16_t subject;
  std::uint16_t detail;
  std::string_view words;
};

// These codes of RFC 3463 differ in meaning from their subject; they are sorted by subject and
// detail.
constexpr Entry kEntries[] = {
    {1, 1, "no such mailbox"},
    {1, 2, "no such mail domain"},
    {1, 3, "malformed recipient address"},
    {1, 4, "ambiguous recipient address"},
    {1, 5, "the address is valid"},
    {1, 6, "the mailbox has moved"},
    {1, 7, "malformed sender address"},
    {1, 8, "the sender's domain does not accept mail"},
    {1, 9, "handed to a system that does not track"},
    {1, 10, "the domain accepts no mail"},
    {2, 1, "the mailbox is disabled"},
    {2, 2, "the mailbox is full"},
    {2, 3, "the message is too long for this mailbox"},
    {2, 4, "the mailing list could not be expanded"},
    {3, 1, "the mail system is out of space"},
    {3, 2, "the system accepts no messages now"},
    {3, 3, "the system lacks a feature the message needs"},
    {3, 4, "the message is too big for the system"},
    {3, 5, "the system is misconfigured"},
    {4, 1, "no answer from the host"},
    {4, 2, "bad connection"},
    {4, 3, "a directory or DNS server failed"},
    {4, 4, "no route to the host"},
    {4, 5, "the mail system is congested"},
    {4, 6, "mail loop"},
    {4, 7, "delivery time expired"},
    {5, 1, "command not allowed"},
    {5, 2, "syntax error in the mail dialogue"},
    {5, 3, "too many recipients"},
    {5, 4, "bad parameters in the mail dialogue"},
    {5, 5, "wrong protocol version"},
    {6, 1, "the content type is not supported"},
    {6, 2, "conversion needed but not allowed"},
    {6, 3, "conversion needed but not supported"},
    {6, 4, "converted with loss"},
    {6, 5, "conversion failed"},
    {7, 1, "refused by policy"},
    {7, 2, "may not send to this list"},
    {7, 3, "secure conversion needed but not possible"},
    {7, 4, "security features not supported"},
    {7, 5, "cryptographic failure"},
    {7, 6, "cryptographic algorithm not supported"},
    {7, 7, "message integrity failure"},
};

constexpr std::string_view kSubjects[] = {
    "",
    "a matter of the address",
    "a matter of the mailbox",
    "a matter of the mail system",
    "a matter of the network or routing",
    "a matter of the mail protocol",
    "a matter of the content",
    "a matter of security or policy",
};

std::string_view words_for_class(std::uint8_t status_class) {
  switch (status_class) {
    case 2:
      return "success";
    case 4:
      return "a passing problem";
    default:
      return "a lasting problem";
  }
}

}  // namespace

std::string_view words_for(EnhancedStatus status) {
  const auto* const found = std::find_if(
      std::begin(kEntries), std::end(kEntries),
      [&](const Entry& e) { return e.subject == status.subject && e.detail == status.detail; });
  if (found != std::end(kEntries)) {
    return found->words;
  }
  if (status.status_class != 2 && status.subject > 0 && status.subject < std::size(kSubjects)) {
    return kSubjects[status.subject];
  }
  return words_for_class(status.status_class);
}

}  // namespace mtrk::cli

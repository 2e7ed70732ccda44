#pragma once

#include <string_view>

namespace mtrk::maillog {

// Whether the answer to a message that was taken is a content filter's, by the words that such
// programs put at its front: that the message was discarded, blocked, quarantined or bounced
// ("250 2.7.0 Ok, discarded, id=11-02 - spam", "250 2.7.0 BLOCKED (2B9A1C)"), or the form of
// Proxmox Mail Gateway's acceptance ("250 2.5.0 OK (2B9A1C)"), behind which there may be a
// quarantine. The same words further on, behind a recipient, an id or other words, are the text of
// a mailbox server. `reply` begins with its code, or with the text if there is none (a command's
// output). Linear in the first words.
[[nodiscard]] bool is_filter_reply(std::string_view reply);

}  // namespace mtrk::maillog

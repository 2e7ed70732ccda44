#pragma once

#include <string_view>

namespace mtrk::maillog {

// Returns whether the reply that accepted a message is that of a content filter. It is recognised
// by the words that such programs put at its start: that the message was discarded, blocked,
// quarantined or bounced ("250 2.7.0 Ok, discarded, id=11-02 - spam", "250 2.7.0 BLOCKED
// (2B9A1C)"). The form in which Proxmox Mail Gateway accepts mail also counts ("250 2.5.0 OK
// (2B9A1C)"), because it may lead to a quarantine. The same words later in a reply, after a
// recipient, an id or other words, are the text of a mailbox server. `reply` begins with its code,
// or with the text if there is none (the output of a command). Time is linear in the first words.
[[nodiscard]] bool is_filter_reply(std::string_view reply);

}  // namespace mtrk::maillog

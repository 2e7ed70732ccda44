#pragma once

#include "common/base/expected.h"
#include "common/config/network.h"
#include "common/track/outcome.h"
#include "milter/ctl/find/period.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What `mtrkctl find` is asked for: all criteria that are given must hold of a message. Pure.
namespace mtrk::find {

// An address, a whole domain ("@example.org"), or a local part alone ("bob"); all in any case. As
// people write it: "Bob <bob@example.org>" is bob@example.org.
class AddressPattern {
 public:
  enum class Kind { address, domain, local_part };

  [[nodiscard]] static Expected<AddressPattern> parse(std::string_view written);

  [[nodiscard]] bool matches(std::string_view address) const;
  [[nodiscard]] Kind kind() const { return kind_; }
  // As it was written, without a name and brackets: "bob@example.org", "@example.org", "bob", "<>".
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Kind kind_ = Kind::address;
  std::string text_;
  std::string key_;  // match_key() of an address; the domain, or the local part, in lower case
};

// A host's name ("mail.example.org", or ".example.org" for all hosts of a domain), an address, or a
// network ("192.0.2.0/24").
class ClientPattern {
 public:
  [[nodiscard]] static Expected<ClientPattern> parse(std::string_view written);

  // `client` as a log has it: "mail.example.org[192.0.2.7]", "localhost [127.0.0.1]",
  // "[IPv6:2001:db8::7]", "root@localhost".
  [[nodiscard]] bool matches(std::string_view client) const;
  [[nodiscard]] const std::string& text() const { return text_; }
  // What a log line about such a client holds; empty if that is not one text.
  [[nodiscard]] const std::string& needle() const { return needle_; }

 private:
  std::string text_;
  std::string name_;                // in lower case
  std::optional<Network> network_;  // else
  std::string needle_;
};

struct Actions {
  std::vector<Action> outcomes;
  bool refused = false;    // never taken in
  bool discarded = false;  // taken in, and thrown away by a milter or a check

  [[nodiscard]] bool empty() const { return outcomes.empty() && !refused && !discarded; }
  // "failed,refused"
  [[nodiscard]] static Expected<Actions> parse(std::string_view list);
};

struct Criteria {
  std::optional<AddressPattern> from, to;
  std::string message_id;  // without brackets; empty if not given
  std::optional<ClientPattern> client;
  std::string user;
  std::string queue_id;
  Period period;
  Actions actions;

  // In words: "to bob@example.org, from @example.net".
  [[nodiscard]] std::string in_words() const;
};

// The Message-Id without blanks and brackets. Nothing if there is none.
[[nodiscard]] Expected<std::string> parse_message_id(std::string_view written);
// "<a@b>" and "a@b" are the same Message-Id; `wanted` has no brackets. Letters in any case: what
// passes through people's hands loses it.
[[nodiscard]] bool is_message_id(std::string_view logged, std::string_view wanted);

// What every log line that shows the criterion holds, in any case; the line may mean something else
// all the same. Empty if there is no such text.
struct Anchor {
  enum class By { nothing, message_id, queue_id, from, to, user, client };
  By by = By::nothing;
  std::string needle;
};
// The criterion that the fewest lines are likely to show.
[[nodiscard]] Anchor anchor_of(const Criteria& criteria);

}  // namespace mtrk::find

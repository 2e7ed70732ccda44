#pragma once

#include "common/base/expected.h"
#include "common/config/network.h"
#include "common/track/outcome.h"
#include "milter/ctl/find/period.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Criteria are what `mtrkctl find` is asked for. A message must meet all that are given. Pure.
namespace mtrk::find {

// An AddressPattern is an address, a whole domain ("@example.org"), or a local part alone ("bob"),
// all in any case. It may be written as people do: "Bob <bob@example.org>" is bob@example.org.
class AddressPattern {
 public:
  enum class Kind { address, domain, local_part };

  [[nodiscard]] static Expected<AddressPattern> parse(std::string_view written);

  [[nodiscard]] bool matches(std::string_view address) const;
  [[nodiscard]] Kind kind() const { return kind_; }
  // Returns it as written, without a name and brackets: "bob@example.org", "@example.org", "bob",
  // "<>".
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Kind kind_ = Kind::address;
  std::string text_;
  std::string key_;  // match_key() of an address; the domain or the local part in lower case
};

// A ClientPattern is the name of a host ("mail.example.org", or ".example.org" for all hosts of a
// domain), an address, or a network ("192.0.2.0/24").
class ClientPattern {
 public:
  [[nodiscard]] static Expected<ClientPattern> parse(std::string_view written);

  // `client` has the form of a log: "mail.example.org[192.0.2.7]", "localhost [127.0.0.1]",
  // "[IPv6:2001:db8::7]", "root@localhost".
  [[nodiscard]] bool matches(std::string_view client) const;
  [[nodiscard]] const std::string& text() const { return text_; }
  // Returns the text that every log line about such a client contains, or an empty text if there is
  // not exactly one.
  [[nodiscard]] const std::string& needle() const { return needle_; }

 private:
  std::string text_;
  std::string name_;                // in lower case
  std::optional<Network> network_;  // empty if the pattern is a name
  std::string needle_;
};

struct Actions {
  std::vector<Action> outcomes;
  bool refused = false;    // the message was never accepted
  bool discarded = false;  // the message was accepted, and then thrown away by a milter or a check

  [[nodiscard]] bool empty() const { return outcomes.empty() && !refused && !discarded; }
  // Parses a list such as "failed,refused".
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

  // Returns a description such as "to bob@example.org, from @example.net".
  [[nodiscard]] std::string in_words() const;
};

// Returns the Message-Id without blanks and brackets. Fails if there is none.
[[nodiscard]] Expected<std::string> parse_message_id(std::string_view written);
// Returns whether both are the same Message-Id: "<a@b>" and "a@b" are. `wanted` has no brackets.
// The case of letters is ignored, because it gets lost when people pass an id on.
[[nodiscard]] bool is_message_id(std::string_view logged, std::string_view wanted);

// An Anchor is a text that every log line which shows the criterion contains, in any case. Other
// lines may contain it too. It is empty if there is no such text.
struct Anchor {
  enum class By { nothing, message_id, queue_id, from, to, user, client };
  By by = By::nothing;
  std::string needle;
};
// Returns the anchor of the criterion that the fewest lines are likely to show.
[[nodiscard]] Anchor anchor_of(const Criteria& criteria);

}  // namespace mtrk::find

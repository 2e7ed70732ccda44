#include "milter/ctl/find/row.h"

#include "common/base/ascii.h"
#include "common/base/utf8.h"
#include "common/maillog/attempt_meaning.h"
#include "common/maillog/field_scanner.h"
#include "common/maillog/line_ends.h"
#include "milter/ctl/explain_json.h"
#include "milter/ctl/find/skim.h"
#include "milter/ctl/json.h"
#include "milter/ctl/timeline.h"

#include <algorithm>
#include <functional>
#include <set>
#include <unordered_map>
#include <utility>

namespace mtrk::find {
namespace {

using maillog::Attempt;
using maillog::DeliveryEvent;
using maillog::MessageId;
using maillog::Queued;

using Kind = AddressPattern::Kind;

// Refused is a line of the excerpt that refuses something and has one of its queue ids.
struct Refused {
  Refusal what;
  std::string_view line;
  std::uint64_t place = 0;
};

// Returns the login name in the line that shows the message being accepted, or an empty text if
// there is none. The method is the only text from the client that Postfix puts before it.
std::string_view user_in(std::string_view line) {
  constexpr std::string_view kClient = ": client=";
  constexpr std::string_view kUser = ", sasl_username=";
  const std::size_t client = line.find(kClient);
  if (client == std::string_view::npos) {
    return {};
  }
  const std::size_t user = line.find(kUser, client);
  if (user == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = line.substr(user + kUser.size());
  return rest.substr(0, rest.find(", "));
}

struct Facts {
  Particulars particulars;
  std::string user;
  std::uint64_t place = 0;
  bool begun_before = false;
};

Facts facts_of(const Message& message,
               const std::unordered_map<std::string_view, std::uint64_t>& places) {
  Facts facts;
  facts.particulars = particulars_of(message);
  const std::string& root = message.named.trace.root();
  bool begins = false;
  for (const Story::Line& line : message.named.lines) {
    const DeliveryEvent& event = line.event();
    if (event.queue_id != root) {
      continue;
    }
    begins = begins || std::holds_alternative<maillog::Client>(event.what) ||
             std::holds_alternative<maillog::Pickup>(event.what) ||
             std::holds_alternative<MessageId>(event.what) ||
             (event.mta == Mta::sendmail && std::holds_alternative<Queued>(event.what));
    if (facts.user.empty() && std::holds_alternative<maillog::Client>(event.what)) {
      facts.user = user_in(line.text());
    }
  }
  facts.begun_before = !begins;
  if (!message.named.lines.empty()) {
    const auto place = places.find(message.named.lines.front().text());
    facts.place = place == places.end() ? 0 : place->second;
  }
  return facts;
}

bool has_message_id(const Message& message, const std::string& wanted) {
  return std::any_of(message.named.lines.begin(), message.named.lines.end(),
                     [&](const Story::Line& line) {
                       const DeliveryEvent& event = line.event();
                       if (const MessageId* id = std::get_if<MessageId>(&event.what)) {
                         return is_message_id(id->message_id, wanted);
                       }
                       const Queued* queued = std::get_if<Queued>(&event.what);
                       return queued != nullptr && is_message_id(queued->message_id, wanted);
                     });
}

bool has_queue_id(const Message& message, const std::string& wanted) {
  const std::vector<std::string> ids = message.named.trace.queue_ids();
  return std::find(ids.begin(), ids.end(), wanted) != ids.end();
}

// Checks all criteria except those of a recipient.
bool is_asked_for(const Message& message, const Facts& facts, const Criteria& criteria) {
  const Particulars& particulars = facts.particulars;
  if (criteria.from && !(particulars.sender && criteria.from->matches(*particulars.sender))) {
    return false;
  }
  if (!criteria.message_id.empty() && !has_message_id(message, criteria.message_id)) {
    return false;
  }
  if (criteria.client && !criteria.client->matches(particulars.client)) {
    return false;
  }
  if (!criteria.user.empty() && !iequals(facts.user, criteria.user)) {
    return false;
  }
  if (!criteria.queue_id.empty() && !has_queue_id(message, criteria.queue_id)) {
    return false;
  }
  return particulars.arrival && criteria.period.has(*particulars.arrival);
}

// Maps the lines of those queue ids under which another message went on to where that message
// begins. A message that begins later and with one of these lines is not a message of its own. (If
// mail comes back through this host, each of the two messages looks like the result of the other.)
using LinesOfChildren = std::unordered_map<const maillog::OwnedEvent*, std::uint64_t>;

// Returns the queue ids under which a message went on, according to lines or to its recipients. Ids
// that only share its Message-Id are not among them.
std::vector<std::string> ids_of_children(const Message& message) {
  const Story& story = message.named;
  const std::vector<std::string> joined = story.trace.queue_ids();
  std::vector<std::string> ids;
  const auto add = [&](std::string_view id) {
    if (id != story.trace.root() && std::find(joined.begin(), joined.end(), id) != joined.end() &&
        std::find(ids.begin(), ids.end(), id) == ids.end()) {
      ids.emplace_back(id);
    }
  };
  if (joined.size() < 2) {
    return ids;
  }
  if (!story.lines.empty() && story.lines.front().event().mta == Mta::sendmail) {
    std::for_each(joined.begin(), joined.end(), add);
    return ids;
  }
  for (const Story::Line& line : story.lines) {
    if (const Attempt* attempt = std::get_if<Attempt>(&line.event().what)) {
      add(attempt->forwarded_as);
      add(attempt->queued_as);
    } else if (!maillog::origin_of(line.event()).empty()) {
      add(line.event().queue_id);
    }
  }
  for (std::size_t i = 0; i < story.trace.recipients().size(); ++i) {
    const std::vector<std::string> via = story.trace.via(i);
    std::for_each(via.begin(), via.end(), add);
  }
  return ids;
}

LinesOfChildren lines_of_children(const std::vector<const Message*>& all,
                                  const std::vector<std::uint64_t>& begins) {
  LinesOfChildren lines;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::vector<std::string> ids = ids_of_children(*all[i]);
    if (ids.empty()) {
      continue;
    }
    for (const Story::Line& line : all[i]->named.lines) {
      if (std::find(ids.begin(), ids.end(), line.event().queue_id) != ids.end()) {
        const auto [its, fresh] = lines.try_emplace(line.said.get(), begins[i]);
        its->second = std::min(its->second, begins[i]);
      }
    }
  }
  return lines;
}

// Returns whether a check says that it concerns a message to the wanted recipient ("hold: header …;
// from=<a@b> to=<bob@example.org> proto=…"). smtpd(8) and cleanup(8) add this to what they did.
bool mentions(std::string_view record, const Criteria& criteria) {
  if (!criteria.to || criteria.to->kind() != Kind::address) {
    return false;
  }
  constexpr std::string_view kTo = "> to=<";
  const std::size_t fields = record.rfind("; from=<");
  const std::size_t to = fields == std::string_view::npos ? fields : record.find(kTo, fields);
  if (to == std::string_view::npos) {
    return false;
  }
  maillog::FieldScanner scan(record.substr(to + kTo.size() - 1));
  const std::optional<std::string_view> address = scan.take_address();
  return address && criteria.to->matches(*address);
}

// Returns the addresses to which a recipient's mail was sent, according to attempts.
std::vector<std::string> targets_of(const Message& message, std::size_t recipient) {
  std::vector<std::string> targets;
  const std::vector<std::string> via = message.named.trace.via(recipient);
  for (const Story::Line& line : message.named.lines) {
    const Attempt* attempt = std::get_if<Attempt>(&line.event().what);
    if (attempt != nullptr && is_about(line, message.named, recipient, via)) {
      targets.emplace_back(attempt->recipient);
    }
  }
  return targets;
}

class RowMaker {
 public:
  RowMaker(const StoryTeller& teller,
           const maillog::TracePolicy& policy,
           const Criteria& criteria,
           const RowOptions& options,
           std::vector<Row>& rows)
      : teller_(teller), policy_(policy), criteria_(criteria), options_(options), rows_(rows) {}

  // `mentioned` says that a line has the wanted recipient although no attempt names it.
  void add(const Message& message, const Facts& facts, bool mentioned) {
    std::unique_ptr<const Story> whole;
    std::vector<Finding> findings = findings_of(message, mentioned, whole);
    std::vector<Account> accounts;
    for (const Finding& finding : findings) {
      Account account = account_of(finding, teller_, policy_);
      if (account.fate && is_wanted(account.fate->action)) {
        accounts.push_back(std::move(account));
      }
    }
    for (std::size_t i = 0; i < accounts.size(); ++i) {
      Row row = row_of_account(accounts[i], facts);
      row.possible = row.possible && !mentioned;
      if (options_.format == Format::json) {
        row.text = json_of(accounts[i], facts);
      } else if (options_.format == Format::timeline && i == 0) {
        Page page(options_.style);
        add_story(page, message, accounts, options_.until);
        row.text = page.text();
      }
      rows_.push_back(std::move(row));
    }
  }

  void add(const Refused& refused, const Message* message, const Facts* facts) {
    std::optional<Row> row = row_of(refused, message, facts);
    if (row) {
      rows_.push_back(*std::move(row));
    }
  }

 private:
  [[nodiscard]] bool is_wanted(Action action) const {
    const Actions& actions = criteria_.actions;
    return actions.empty() || std::find(actions.outcomes.begin(), actions.outcomes.end(), action) !=
                                  actions.outcomes.end();
  }

  std::vector<Finding> findings_of(const Message& message,
                                   bool mentioned,
                                   std::unique_ptr<const Story>& whole) {
    std::vector<Finding> findings;
    if (!is_taken(message)) {
      return findings;
    }
    if (!criteria_.to) {
      findings = find_all(message);
      if (findings.empty()) {
        whole = message.whole(policy_);
        findings.push_back(find_unnamed(message, *whole));
        wholes_.push_back(std::move(whole));
      }
      return findings;
    }
    const auto recipients = message.named.trace.recipients();
    std::optional<std::size_t> known;
    if (criteria_.to->kind() != Kind::domain) {
      Finding finding = find_recipient(message, criteria_.to->text());
      const bool certain = finding.standing == Standing::recipient ||
                           finding.standing == Standing::target ||
                           finding.standing == Standing::local_part;
      const bool possible = finding.standing == Standing::possible &&
                            (options_.take_possible || mentioned) && finding.story != nullptr;
      if (certain || possible) {
        known = message.named.trace.find_recipient(finding.name);
        findings.push_back(std::move(finding));
      }
    }
    for (const std::size_t i : named_recipients(message)) {
      if (message.named.trace.declined(i) || i == known) {
        continue;
      }
      if (criteria_.to->matches(recipients[i])) {
        findings.push_back({&message, Standing::recipient, &message.named, i, recipients[i], {}});
        continue;
      }
      const std::vector<std::string> targets = targets_of(message, i);
      const auto target =
          std::find_if(targets.begin(), targets.end(),
                       [this](const std::string& one) { return criteria_.to->matches(one); });
      if (target != targets.end()) {
        findings.push_back({&message, Standing::target, &message.named, i, recipients[i], *target});
      }
    }
    return findings;
  }

  Row row_of_account(const Account& account, const Facts& facts) const {
    const Finding& finding = account.finding;
    Row row;
    row.arrival = *facts.particulars.arrival;
    row.begun_before = facts.begun_before;
    row.place = facts.place;
    row.queue_id = finding.message->named.trace.root();
    row.from = facts.particulars.sender;
    row.to = finding.name;
    row.target = finding.standing == Standing::target && finding.target != finding.name
                     ? finding.target
                     : std::string();
    row.possible = finding.standing == Standing::possible;
    row.action = to_string(account.fate->action);
    row.status = account.fate->status;
    row.next_hop = account.fate->remote_mta;
    row.words = account.words.empty() ? std::string() : account.words;
    if (account.words.empty() && account.fate->action != Action::delivered &&
        account.fate->action != Action::relayed && account.fate->action != Action::transferred) {
      row.words = account.reason;
    }
    switch (account.fate->action) {
      case Action::failed:
        row.paint = Paint::bad;
        break;
      case Action::delayed:
      case Action::opaque:
        row.paint = Paint::waiting;
        break;
      default:
        row.paint = Paint::good;
    }
    return row;
  }

  void put_facts(JsonOutput& json, const Facts& facts) const {
    const Particulars& particulars = facts.particulars;
    if (particulars.sender) {
      json.text("from", *particulars.sender);
    } else {
      json.null("from");
    }
    put(json, "message_id", particulars.message_id);
    put(json, "client", particulars.client);
    put(json, "user", facts.user);
    if (particulars.arrival) {
      json.time("arrival", *particulars.arrival);
    } else {
      json.null("arrival");
    }
    if (facts.begun_before) {
      json.text("arrival_is", "the first line in these logs");
    }
  }
  template <std::size_t N>
  static void put(JsonOutput& json, const char (&name)[N], std::string_view value) {
    if (value.empty()) {
      json.null(name);
    } else {
      json.text(name, value);
    }
  }

  std::string json_of(const Account& account, const Facts& facts) {
    JsonOutput& json = json_;
    json.clear();
    json.begin();
    put_account(json, account,
                account.finding.standing == Standing::target
                    ? std::string_view(account.finding.name)
                    : std::string_view(),
                options_.until, Detail::found);
    if (account.finding.standing == Standing::target) {
      json.text("target", account.finding.target);
    }
    if (account.finding.standing == Standing::possible) {
      json.text("named", "no");
    }
    put_facts(json, facts);
    if (facts.particulars.size) {
      json.number("size", *facts.particulars.size);
    }
    json.end();
    return std::string(json.view());
  }

  std::optional<Row> row_of(const Refused& refused, const Message* message, const Facts* facts);

  const StoryTeller& teller_;
  const maillog::TracePolicy& policy_;
  const Criteria& criteria_;
  const RowOptions& options_;
  std::vector<Row>& rows_;
  std::vector<std::unique_ptr<const Story>> wholes_;
  JsonOutput json_;
};

bool is_wanted(const Refusal& refusal, const Actions& actions) {
  return actions.empty() || (refusal.discarded ? actions.discarded : actions.refused);
}

// RefusalFacts are what is known about refused mail beyond its line.
struct RefusalFacts {
  std::string_view message_id, user, client;
  std::optional<std::string_view> from;
};

bool is_asked_for(const Refusal& refusal, const RefusalFacts& facts, const Criteria& criteria) {
  if (!is_wanted(refusal, criteria.actions) || !criteria.period.has(refusal.at)) {
    return false;
  }
  if (criteria.from && !(facts.from && criteria.from->matches(*facts.from))) {
    return false;
  }
  if (criteria.to && !(refusal.to && criteria.to->matches(*refusal.to))) {
    return false;
  }
  if (criteria.client && !criteria.client->matches(facts.client)) {
    return false;
  }
  if (!criteria.user.empty() && !iequals(facts.user, criteria.user)) {
    return false;
  }
  if (!criteria.message_id.empty() && !is_message_id(facts.message_id, criteria.message_id)) {
    return false;
  }
  return criteria.queue_id.empty() || refusal.queue_id == criteria.queue_id;
}

Row make_row(const Refusal& refusal,
             const RefusalFacts& facts,
             std::string_view line,
             std::uint64_t place,
             const RowOptions& options) {
  Row row;
  row.arrival = refusal.at;
  row.place = place;
  row.queue_id = refusal.queue_id;
  if (facts.from) {
    row.from = std::string(*facts.from);
  }
  row.to = refusal.to.value_or(std::string_view());
  row.action = refusal.discarded ? "discarded" : "refused";
  row.status = refusal.status;
  row.words = refusal.reply;
  row.paint = Paint::bad;
  const auto or_null = [](JsonOutput& json, const auto& name, std::string_view value) {
    if (value.empty()) {
      json.null(name);
    } else {
      json.text(name, value);
    }
  };
  if (options.format == Format::json) {
    JsonOutput json;
    json.begin();
    or_null(json, "queue_id", refusal.queue_id);
    or_null(json, "recipient", row.to);
    json.text("action", row.action);
    if (refusal.status) {
      json.status("status", *refusal.status);
    } else {
      json.null("status");
    }
    json.null("remote_mta");
    json.null("last_attempt");
    json.null("will_retry_until");
    json.text("reason", refusal.discarded ? "it was discarded" : "it was refused");
    json.text("words", refusal.reply);
    json.text("stage", refusal.stage);
    json.text_if("log_host", refusal.host);
    json.begin_list("via");
    json.end_list();
    json.begin_list("lines");
    json.item(line);
    json.end_list();
    if (facts.from) {
      json.text("from", *facts.from);
    } else {
      json.null("from");
    }
    or_null(json, "message_id", facts.message_id);
    or_null(json, "client", facts.client);
    or_null(json, "user", facts.user);
    json.time("arrival", refusal.at);
    json.end();
    row.text = json.view();
  } else if (options.format == Format::timeline) {
    Page page(options.style);
    const auto shown = [](std::string_view text) { return escape_for_display(text, 2048); };
    page.add(0, row.queue_id.empty() ? "no queue id" : row.queue_id, Paint::bold,
             (row.from ? ", from <" + shown(*row.from) + ">" : std::string()) +
                 (facts.client.empty() ? std::string() : ", received from " + shown(facts.client)),
             2);
    page.add(2, format_for_people(std::chrono::floor<Seconds>(refusal.at), options.style));
    page.add_blank_line();
    if (!row.to.empty()) {
      page.add(2, "<" + shown(row.to) + ">", Paint::bold, "", 4);
    }
    page.add(4, row.action, Paint::bad,
             (row.status ? " " + format_enhanced_status(*row.status) : std::string()) + " at " +
                 shown(refusal.stage),
             6);
    page.add(6, shown(refusal.reply));
    page.add_blank_line();
    row.text = page.text();
  }
  return row;
}

std::optional<Row> RowMaker::row_of(const Refused& refused,
                                    const Message* message,
                                    const Facts* facts) {
  RefusalFacts known{{}, refused.what.user, refused.what.client, refused.what.from};
  if (message != nullptr && facts != nullptr) {
    known.message_id = facts->particulars.message_id;
    known.user = known.user.empty() ? std::string_view(facts->user) : known.user;
    known.client =
        known.client.empty() ? std::string_view(facts->particulars.client) : known.client;
    if (!known.from && facts->particulars.sender) {
      known.from = *facts->particulars.sender;
    }
  }
  if (!is_asked_for(refused.what, known, criteria_)) {
    return std::nullopt;
  }
  return make_row(refused.what, known, refused.line, refused.place, options_);
}

}  // namespace

std::vector<std::string> asked_recipients(const Criteria& criteria) {
  if (!criteria.to || criteria.to->kind() != Kind::address || criteria.to->text() == "<>") {
    return {};
  }
  return {criteria.to->text()};
}

std::optional<Row> row_of(const Refusal& refusal,
                          std::string_view line,
                          std::uint64_t place,
                          const Criteria& criteria,
                          const RowOptions& options) {
  const RefusalFacts facts{{}, refusal.user, refusal.client, refusal.from};
  if (!is_asked_for(refusal, facts, criteria)) {
    return std::nullopt;
  }
  return make_row(refusal, facts, line, place, options);
}

void add_rows(StoryTeller& teller,
              const Excerpt& excerpt,
              Mta mta,
              const maillog::TracePolicy& policy,
              const Criteria& criteria,
              const RowOptions& options,
              std::vector<Row>& rows) {
  maillog::LogParser parser(mta);
  maillog::StampMemo memo;
  maillog::StampContext stamps;
  std::vector<Refused> refusals;
  std::unordered_map<std::string_view, std::uint64_t> places;
  std::set<std::string, std::less<>> mentioned;  // queue ids
  bool first = true;
  for (const Excerpt::Line& line : excerpt.lines) {
    maillog::StampContext its = excerpt.stamps(line.place);
    if (first || its.reference != stamps.reference) {
      memo = {};
      stamps = its;
      first = false;
    }
    const std::optional<maillog::LogLine> parts = maillog::split_log_line(line.text, stamps, &memo);
    if (!parts) {
      continue;
    }
    places.try_emplace(line.text, line.place);
    parser.parse(*parts, [&](const DeliveryEvent& event) { teller.read(event, line.text); });
    if (mentions(parts->text, criteria)) {
      mentioned.emplace(queue_id_of(parts->text));
    }
    if (may_be_refusal(parts->text)) {
      if (std::optional<Refusal> refusal = parse_refusal(*parts)) {
        refusals.push_back({*refusal, line.text, line.place});
      }
    }
  }
  if (options.until) {
    teller.know_until(*options.until);
  }
  std::vector<const Message*> all;
  for (const std::string& id : excerpt.queue_ids) {
    if (const StoryTeller::Messages* messages = teller.find(id)) {
      for (const std::unique_ptr<Message>& message : *messages) {
        all.push_back(message.get());
      }
    }
  }
  std::vector<Facts> facts;
  std::vector<std::uint64_t> begins;
  for (const Message* message : all) {
    facts.push_back(facts_of(*message, places));
    begins.push_back(facts.back().place);
  }
  const LinesOfChildren children = lines_of_children(all, begins);
  RowMaker maker(teller, policy, criteria, options, rows);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::vector<Story::Line>& lines = all[i]->named.lines;
    const auto parent = lines.empty() ? children.end() : children.find(lines.front().said.get());
    const bool child = parent != children.end() && parent->second < begins[i];
    if (!child && is_asked_for(*all[i], facts[i], criteria)) {
      maker.add(*all[i], facts[i], mentioned.count(all[i]->named.trace.root()) != 0);
    }
  }
  for (const Refused& refused : refusals) {
    const auto its = std::find_if(all.begin(), all.end(), [&](const Message* message) {
      return message->named.trace.root() == refused.what.queue_id &&
             (message->host.empty() || message->host == refused.what.host);
    });
    if (its == all.end()) {
      maker.add(refused, nullptr, nullptr);
    } else {
      maker.add(refused, *its, &facts[static_cast<std::size_t>(its - all.begin())]);
    }
  }
}

}  // namespace mtrk::find

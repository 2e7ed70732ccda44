#include "milter/ctl/explain.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "common/base/line_reader.h"
#include "common/base/process.h"
#include "common/base/utf8.h"
#include "milter/ctl/account.h"
#include "milter/ctl/explain_json.h"
#include "milter/ctl/log_reader.h"
#include "milter/ctl/timeline.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>

namespace mtrk {
namespace {

using maillog::DeliveryEvent;
using maillog::TracePolicy;

constexpr int kNotInLog = 1;

// A Request is one row of a batch, or what the command line names.
struct Request {
  std::string queue_id;
  std::vector<std::string> recipients;  // as written; if empty, all
};

constexpr std::size_t kLongestRow = std::size_t{64} << 10;
constexpr std::size_t kMostRows = 4'000'000;

class BadBatch : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void for_each_row(const std::string& path, const std::function<void(std::string_view)>& visit) {
  const UniqueFd input = open_input(path);
  if (!input) {
    throw CannotOpen(errno, std::generic_category(), path);
  }
  LineReader lines(input.get(), kLongestRow);
  std::size_t number = 0;
  while (const std::optional<LineReader::Line> line = lines.next()) {
    ++number;
    if (line->too_long || number > kMostRows) {
      throw BadBatch(path + ":" + std::to_string(number) +
                     (line->too_long ? ": the line is too long" : ": too many rows"));
    }
    visit(line->text);
  }
}

std::vector<Request> read_batch(const std::string& path) {
  std::vector<Request> requests;
  for_each_row(path, [&](std::string_view line) {
    if (!line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
    }
    const bool heading = requests.empty() && line.substr(0, 9) == "queue_id\t";
    if (line.empty() || line[0] == '#' || heading) {
      return;
    }
    const std::size_t tab = std::min(line.find('\t'), line.size());
    const std::string_view rest = line.substr(std::min(tab + 1, line.size()));
    Request request{std::string(line.substr(0, tab)), {}};
    if (const std::string_view recipient = rest.substr(0, rest.find('\t')); !recipient.empty()) {
      request.recipients.emplace_back(recipient);
    }
    requests.push_back(std::move(request));
  });
  return requests;
}

// Puts together what is asked about each queue id, so that one trace answers all its rows.
void ask_all(const std::vector<Request>& requests, StoryTeller& teller) {
  std::map<std::string, std::vector<std::string>> wanted;
  for (const Request& request : requests) {
    std::vector<std::string>& recipients = wanted[request.queue_id];
    std::transform(request.recipients.begin(), request.recipients.end(),
                   std::back_inserter(recipients), address_in);
  }
  for (auto& [text, recipients] : wanted) {
    if (const std::optional<QueueId> queue_id = QueueId::parse(text)) {
      teller.ask(*queue_id, std::move(recipients));
    }
  }
}

// Answers writes the answers to requests in their order.
class Answers {
 public:
  Answers(const StoryTeller& teller,
          const TracePolicy& policy,
          const ExplainOptions& options,
          PageStyle style)
      : teller_(teller),
        policy_(policy),
        as_json_(options.json || options.batch),
        detail_(options.batch ? Detail::brief : Detail::full),
        style_(style) {}

  // Answers everything that was asked about one queue id. `recipients` are as written; if there are
  // none, all are answered.
  void answer(const std::string& queue_id, const std::vector<std::string>& recipients) {
    const StoryTeller::Messages* messages = teller_.find(queue_id);
    if (messages == nullptr) {
      exit_code_ = exit_code::data_error;
      std::fprintf(stderr, "mtrkctl: not a queue id: %s\n",
                   escape_for_people(queue_id, 64).c_str());
      if (as_json_) {
        write_unknown(out_, queue_id, recipients.empty() ? "" : recipients.front(), "");
      }
      return;
    }
    wholes_.clear();
    std::vector<Account> accounts;
    if (recipients.empty()) {
      for (const std::unique_ptr<Message>& message : *messages) {
        add_all(*message, accounts);
      }
      if (accounts.empty()) {
        unknown(queue_id, *messages, {});
      }
    }
    for (const std::string& recipient : recipients) {
      const std::vector<Finding> findings = find_recipient(*messages, address_in(recipient));
      if (findings.empty()) {
        unknown(queue_id, *messages, recipient);
      }
      add(findings, recipient, accounts);
    }
    if (!as_json_) {
      show(*messages, accounts);
    }
    if (out_.size() > kFlushAt) {
      out_.write_to(STDOUT_FILENO);
    }
  }
  void finish() { out_.write_to(STDOUT_FILENO); }

  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  void unknown(const std::string& queue_id,
               const StoryTeller::Messages& messages,
               std::string_view recipient) {
    note_missing();
    const std::string why = why_unknown(queue_id, messages);
    if (as_json_) {
      write_unknown(out_, queue_id, recipient, why);
    } else {
      Page page(style_);
      page.add(0, "mtrkctl: " + escape_for_display(why, 4096));
      std::fputs(page.text().c_str(), stderr);
    }
  }
  void add_all(const Message& message, std::vector<Account>& accounts) {
    std::vector<Finding> findings = find_all(message);
    if (findings.empty() && is_taken(message)) {
      wholes_.push_back(message.whole(policy_));
      findings.push_back(find_unnamed(message, *wholes_.back()));
    }
    add(findings, {}, accounts);
  }
  void add(const std::vector<Finding>& findings,
           std::string_view recipient,
           std::vector<Account>& accounts) {
    for (const Finding& finding : findings) {
      Account account = account_of(finding, teller_, policy_);
      if (!account.fate) {
        note_missing();
      }
      if (as_json_) {
        write_account(out_, account, recipient, teller_.until(), detail_);
      }
      accounts.push_back(std::move(account));
    }
  }
  void show(const StoryTeller::Messages& messages, const std::vector<Account>& accounts) {
    Page page(style_);
    std::size_t shown = 0;
    for (const std::unique_ptr<Message>& message : messages) {
      std::vector<Account> its;
      std::copy_if(accounts.begin(), accounts.end(), std::back_inserter(its),
                   [&](const Account& one) { return one.finding.message == message.get(); });
      if (!its.empty()) {
        ++shown;
        add_story(page, *message, its, teller_.until());
      }
    }
    if (shown > 1) {
      Page first(style_);
      first.add(0, messages.front()->named.trace.root(), Paint::bold,
                " is the id of " + std::to_string(shown) + " messages in this log", 2);
      first.add_blank_line();
      out_.raw(first.text());
    }
    out_.raw(page.text());
  }
  void note_missing() { exit_code_ = exit_code_ == exit_code::ok ? kNotInLog : exit_code_; }

  static constexpr std::size_t kFlushAt = std::size_t{128} << 10;

  const StoryTeller& teller_;
  const TracePolicy& policy_;
  bool as_json_;
  Detail detail_;
  PageStyle style_;
  std::vector<std::unique_ptr<const Story>> wholes_;  // for the messages of one queue id
  JsonOutput out_;
  int exit_code_ = exit_code::ok;
};

int explain(const ExplainOptions& options) {
  std::vector<Request> requests;
  if (options.batch) {
    requests = read_batch(*options.batch);
  } else if (!QueueId::is_queue_id(options.queue_id)) {
    std::fprintf(stderr, "mtrkctl: not a queue id: \"%s\"\n",
                 escape_for_people(options.queue_id, 64).c_str());
    return exit_code::usage;
  } else {
    requests.push_back({options.queue_id, options.recipients});
  }
  const TracePolicy policy{options.log.queue_lifetime, options.log.filters, options.gates};
  StoryTeller teller(policy);
  ask_all(requests, teller);
  OwnedLogParser parser({options.mta, options.log.mta});
  Config::Log log = options.log;
  log.mta = options.mta.value_or(log.mta);
  int understood = exit_code::ok;
  for (const std::string& path : options.logs) {
    const LogSummary summary = read_whole_log(
        path, log, parser,
        [&](const DeliveryEvent& event, std::string_view line) { teller.read(event, line); });
    if (summary.unparsed > 0) {
      std::fprintf(stderr, "mtrkctl: %s: %llu lines about deliveries were not understood\n",
                   path.c_str(), static_cast<unsigned long long>(summary.unparsed));
      understood = std::max(understood, kNotInLog);
    }
    understood =
        std::max(understood, report_format(path, summary.lines, summary.format, summary.complaint));
  }
  PageStyle style = style_of_standard_output();
  style.utc = options.utc;
  Answers answers(teller, policy, options, style);
  for (const Request& request : requests) {
    answers.answer(request.queue_id, request.recipients);
  }
  answers.finish();
  return std::max(answers.exit_code(), understood);
}

}  // namespace

int run_explain(const ExplainOptions& options) {
  try {
    return explain(options);
  } catch (const CannotOpen& error) {
    std::fprintf(stderr, "mtrkctl: %s\n", error.what());
    return exit_code::no_input;
  } catch (const NotALog& error) {
    std::fprintf(stderr, "mtrkctl: %s\n", error.what());
    return exit_code::data_error;
  } catch (const BadBatch& error) {
    std::fprintf(stderr, "mtrkctl: %s\n", error.what());
    return exit_code::data_error;
  } catch (const std::exception& error) {
    if (!is_output_error(error)) {
      std::fprintf(stderr, "mtrkctl: %s\n", error.what());
    }
    return exit_code::io_error;
  }
}

}  // namespace mtrk

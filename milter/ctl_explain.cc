#include "milter/ctl_explain.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "common/track/address.h"
#include "milter/ctl_json.h"
#include "milter/ctl_log_reader.h"
#include "milter/ctl_story.h"
#include "milter/ctl_timeline.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>

namespace mtrk {
namespace {

using maillog::DeliveryEvent;
using maillog::Recipients;
using maillog::TracePolicy;

constexpr int kNotInLog = 1;

// One row of a batch, or what the command line names.
struct Request {
  std::string queue_id;
  std::string recipient;  // as written; empty = all
};

void for_each_line(const std::string& path, const std::function<void(std::string_view)>& visit) {
  LogReader reader(path);
  LogBlock block;
  while (reader.next(block)) {
    std::string_view lines = block.lines();
    while (!lines.empty()) {
      visit(take_line(lines));
    }
  }
}

std::vector<Request> read_batch(const std::string& path) {
  std::vector<Request> requests;
  for_each_line(path, [&](std::string_view line) {
    if (!line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
    }
    const bool heading = requests.empty() && line.substr(0, 9) == "queue_id\t";
    if (line.empty() || line[0] == '#' || heading) {
      return;
    }
    const std::size_t tab = std::min(line.find('\t'), line.size());
    const std::string_view rest = line.substr(std::min(tab + 1, line.size()));
    requests.push_back(
        {std::string(line.substr(0, tab)), std::string(rest.substr(0, rest.find('\t')))});
  });
  return requests;
}

// "<@hop:user@host>" and the like, as RCPT may give it; anything else stays as it is.
std::string envelope_address(const std::string& recipient) {
  const bool path = !recipient.empty() && (recipient[0] == '<' || recipient[0] == '@');
  return path ? address_from_rcpt(recipient).value : recipient;
}

// What is asked about each queue id, put together: one trace answers all rows of it.
void ask_all(const std::vector<Request>& requests, StoryTeller& teller) {
  struct Wanted {
    std::vector<std::string> recipients;
    bool all = false;
  };
  std::map<std::string, Wanted> wanted;
  for (const Request& request : requests) {
    Wanted& entry = wanted[request.queue_id];
    if (request.recipient.empty()) {
      entry.all = true;
    } else {
      entry.recipients.push_back(envelope_address(request.recipient));
    }
  }
  for (auto& [text, entry] : wanted) {
    if (const std::optional<QueueId> queue_id = QueueId::parse(text)) {
      teller.ask(*queue_id, std::move(entry.recipients),
                 entry.all ? Recipients::collect : Recipients::captured);
    }
  }
}

void write_unknown(JsonOutput& json, const Request& request) {
  json.begin();
  json.text("queue_id", request.queue_id);
  if (request.recipient.empty()) {
    json.null("recipient");
  } else {
    json.text("recipient", request.recipient);
  }
  json.null("action");
  json.null("status");
  json.null("remote_mta");
  json.null("last_attempt");
  json.null("will_retry_until");
  json.begin_list("via");
  json.end_list();
  json.begin_list("lines");
  json.end_list();
  json.end();
}

void write_outcome(JsonOutput& json,
                   const Story& story,
                   std::size_t recipient,
                   std::string_view name,
                   const TracePolicy& policy) {
  const Outcome outcome = story.trace.outcome(recipient, policy);
  json.begin();
  json.text("queue_id", story.trace.root());
  json.text("recipient", name);
  json.text("action", to_string(action_of(outcome)));
  json.text("status", format_enhanced_status(status_of(outcome)));
  if (const std::optional<MtaName> remote = remote_mta_of(outcome)) {
    json.text("remote_mta", remote->name);
  } else {
    json.null("remote_mta");
  }
  if (const std::optional<TimePoint> at = last_attempt_of(outcome)) {
    json.time("last_attempt", *at);
  } else {
    json.null("last_attempt");
  }
  if (const std::optional<TimePoint> until = will_retry_until_of(outcome)) {
    json.time("will_retry_until", *until);
  } else {
    json.null("will_retry_until");
  }
  json.begin_list("via");
  for (const std::string& queue_id : story.trace.via(recipient)) {
    json.item(queue_id);
  }
  json.end_list();
  json.begin_list("lines");
  for (const Story::Line* line : story.lines_of(recipient)) {
    json.item(line->text());
  }
  json.end_list();
  json.end();
}

// Answers requests in their order.
class Answers {
 public:
  Answers(const StoryTeller& teller, const TracePolicy& policy, bool as_json)
      : teller_(teller), policy_(policy), as_json_(as_json) {}

  void answer(const Request& request) {
    const Story* story = teller_.find(request.queue_id);
    if (story == nullptr || !story->trace.seen() || story->trace.refused()) {
      unknown(request, story);
      return;
    }
    if (request.recipient.empty()) {
      const std::size_t count = story->trace.recipients().size();
      for (std::size_t i = 0; i < count; ++i) {
        outcome(*story, i, story->trace.recipients()[i]);
      }
      if (count == 0) {
        unknown(request, story);
      }
    } else {
      const std::size_t asked = *story->trace.find_recipient(envelope_address(request.recipient));
      if (story->trace.declined(asked)) {
        unknown(request, story);
        return;
      }
      outcome(*story, asked, request.recipient);
    }
  }
  void finish() { out_.write_to(STDOUT_FILENO); }

  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  void unknown(const Request& request, const Story* story) {
    if (exit_code_ == exit_code::ok) {
      exit_code_ = kNotInLog;
    }
    if (story == nullptr) {
      std::fprintf(stderr, "mtrkctl: not a queue id: %s\n",
                   escape_for_people(request.queue_id, 64).c_str());
      exit_code_ = exit_code::data_error;
    } else if (!as_json_) {
      std::fprintf(stderr, "mtrkctl: %s\n", why_unknown(*story).c_str());
    }
    if (as_json_) {
      write_unknown(out_, request);
    }
  }
  void outcome(const Story& story, std::size_t recipient, std::string_view name) {
    if (as_json_) {
      write_outcome(out_, story, recipient, name, policy_);
    } else {
      out_.raw(timeline(story, recipient, name, policy_));
    }
    if (out_.size() > kFlushAt) {
      out_.write_to(STDOUT_FILENO);
    }
  }

  static constexpr std::size_t kFlushAt = std::size_t{128} << 10;

  const StoryTeller& teller_;
  const TracePolicy& policy_;
  bool as_json_;
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
  } else if (options.recipients.empty()) {
    requests.push_back({options.queue_id, {}});
  } else {
    for (const std::string& recipient : options.recipients) {
      requests.push_back({options.queue_id, recipient});
    }
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
    understood = std::max(understood, report_format(path, summary.lines, summary.format));
  }
  Answers answers(teller, policy, options.json || options.batch);
  for (const Request& request : requests) {
    answers.answer(request);
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
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mtrkctl: %s\n", error.what());
    return exit_code::io_error;
  }
}

}  // namespace mtrk

// Any sequence of events over a few queue ids and recipients: no crash, what is encoded decodes to
// the same, outcomes keep RFC 3886's rules, and a final one stays final. And decode() of anything.
#include "common/maillog/trace_router.h"
#include "tests/fuzz/fuzz_input.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace std::string_view_literals;
using mtrk::maillog::Attempt;
using mtrk::maillog::DeliveryEvent;
using mtrk::maillog::DeliveryTrace;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

constexpr std::array<std::string_view, 5> kIds = {"ROOT0001", "CHILD002", "CHILD003", "CHILD004",
                                                  "CHILD005"};
constexpr std::array<std::string_view, 4> kAddresses = {"a@x", "b@x", "\"c d\"@x", "stranger@y"};

DeliveryEvent make_event(mtrk::FuzzInput& in, mtrk::LogTime at) {
  using namespace mtrk::maillog;  // NOLINT: thirteen alternatives
  const auto id = [&in] { return kIds[in.below(kIds.size())]; };
  const auto address = [&in] { return kAddresses[in.below(kAddresses.size())]; };
  DeliveryEvent event{at, id(), {}};
  constexpr std::array<std::string_view, 4> kHosts = {"mx", "mx", "", "mxb"};
  constexpr std::array<std::string_view, 4> kPrograms = {"postfix/qmgr", "postfix/smtp", "other",
                                                         "postfix-out/qmgr"};
  event.host = kHosts[in.below(kHosts.size())];
  event.program = kPrograms[in.below(kPrograms.size())];
  switch (in.below(16)) {
    case 0:
      event.what = Client{in.below(2) == 0 ? "x[127.0.0.1]" : "x[192.0.2.1]",
                          in.below(2) == 0 ? ""sv : id()};
      break;
    case 1:
      event.what = Pickup{in.below(2) == 0 ? ""sv : id()};
      break;
    case 2:
      event.what = MessageId{in.below(2) == 0 ? "<1@a>" : "<2@a>"};
      break;
    case 3:
      event.what = Queued{"s@a", in.below(6)};
      break;
    case 4:
      event.what = GaveUp{"expired"};
      break;
    case 5:
      event.what = Removed{"qmgr"};
      break;
    case 6:
      event.what = Rejected{Verdict::refused, "x"};
      break;
    case 7:
      event.what = Requeued{};
      break;
    case 9:
      event.what = Released{};
      break;
    case 8:
      event.what = Held{};
      break;
    default: {
      constexpr std::array<std::string_view, 6> kAgents = {"smtp", "local", "lmtp",
                                                           "pipe", "pipe",  ""};
      constexpr std::array<std::string_view, 4> kWords = {"sent", "deferred", "bounced",
                                                          "SOFTBOUNCE"};
      constexpr std::array<std::string_view, 5> kRelays = {
          "local", "none", "f[127.0.0.1]:10024", "f[127.0.0.1]:10025", "mx[192.0.2.1]:25"};
      constexpr std::array<std::string_view, 4> kTexts = {
          "one", "250 2.7.0 BLOCKED (1)", "delivered via x service (discarded)", "discarded"};
      constexpr std::array<std::string_view, 4> kDelays = {"", "0/0/0/3.8", "x/y", "1/1/9999/1"};
      Attempt attempt{};
      attempt.agent = kAgents[in.below(kAgents.size())];
      attempt.recipient = address();
      attempt.original = in.below(2) == 0 ? ""sv : address();
      attempt.relay = kRelays[in.below(kRelays.size())];
      attempt.status = kWords[in.below(kWords.size())];
      attempt.dsn = mtrk::EnhancedStatus{static_cast<std::uint8_t>(in.below(6)), 1, 9};
      attempt.text = kTexts[in.below(kTexts.size())];
      attempt.delay = in.below(2) == 0 ? "2.5" : "345600";
      attempt.delays = kDelays[in.below(kDelays.size())];
      if (attempt.status == "sent") {
        attempt.forwarded_as = attempt.agent == "local" && in.below(2) == 0 ? id() : ""sv;
        attempt.queued_as = attempt.agent == "smtp" ? id() : ""sv;
      }
      event.what = attempt;
    }
  }
  return event;
}

class Index : public mtrk::maillog::TraceIndex {
 public:
  explicit Index(DeliveryTrace& trace) : trace_(trace) { ids_[trace.root()] = true; }
  DeliveryTrace* find(std::string_view id) override {
    return ids_.count(std::string(id)) == 0 ? nullptr : &trace_;
  }
  void bind(std::string_view id, DeliveryTrace& trace) override {
    require(&trace == &trace_);
    require(ids_.emplace(id, true).second);  // an id joins once
  }
  void changed(DeliveryTrace&,
               std::span<const std::size_t> recipients,
               const DeliveryEvent&) override {
    for (const std::size_t recipient : recipients) {
      require(recipient < trace_.recipients().size());
    }
  }

 private:
  DeliveryTrace& trace_;
  std::map<std::string, bool> ids_;
};

// A final outcome under the root's own id stays, but that another member shows it to be a list.
bool may_follow(mtrk::Action before, mtrk::Action after) {
  using mtrk::Action;
  return before == after || before == Action::delayed || before == Action::opaque ||
         (before != Action::expanded && after == Action::expanded);
}

void check_codec(const DeliveryTrace& trace) {
  std::string first;
  trace.encode(first);
  std::string_view in = first;
  const auto decoded = DeliveryTrace::decode(in);
  require(decoded.has_value() && in.empty());
  std::string second;
  decoded->encode(second);
  require(first == second);
}

void run_events(mtrk::FuzzInput& in) {
  const std::vector<std::string> filters = {"127.0.0.1:10025"};
  const mtrk::maillog::TracePolicy policy{mtrk::Seconds(432000), filters};
  const bool collect = in.below(2) == 1;
  DeliveryTrace trace(
      *mtrk::QueueId::parse(kIds[0]), std::nullopt, {"a@x", "b@x", "\"c d\"@x"},
      collect ? mtrk::maillog::Recipients::collect : mtrk::maillog::Recipients::captured);
  Index index(trace);
  mtrk::maillog::TraceRouter router(policy);
  mtrk::LogTime at{mtrk::Seconds(1795219200)};
  std::vector<mtrk::Action> before(3, mtrk::Action::delayed);
  for (int i = 0; i < 40 && !in.empty(); ++i) {
    at += mtrk::Seconds(in.below(16));
    router.route(make_event(in, at), index);
    before.resize(trace.recipients().size(), mtrk::Action::delayed);
    for (std::size_t r = 0; r < trace.recipients().size(); ++r) {
      const mtrk::Outcome outcome = trace.outcome(r, policy);
      require(make_outcome(fields_of(outcome)).has_value());  // what RFC 3886 allows
      const std::vector<std::string> via = trace.via(r);
      require(!via.empty() && via[0] == kIds[0]);
      require(via.size() > 1 || trace.handed_back(r) || may_follow(before[r], action_of(outcome)));
      before[r] = via.size() > 1 ? mtrk::Action::delayed : action_of(outcome);
      static_cast<void>(trace.redirected(r));
      require(trace.end(r) != mtrk::maillog::trace::End::awaited || trace.queued());
      require(!trace.held(r) || action_of(outcome) == mtrk::Action::delayed);
      static_cast<void>(trace.handed_on_as(r));
    }
    check_codec(trace);
  }
}

void run_decode(std::string_view in) {
  if (const auto trace = DeliveryTrace::decode(in)) {
    const mtrk::maillog::TracePolicy policy{};
    for (std::size_t r = 0; r < trace->recipients().size(); ++r) {
      static_cast<void>(trace->outcome(r, policy));
    }
    check_codec(*trace);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mtrk::FuzzInput in(data, size);
  if (in.below(4) == 0) {
    run_decode(in.rest());
  } else {
    run_events(in);
  }
  return 0;
}

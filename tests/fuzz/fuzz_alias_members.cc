// The queue manager's count against the log: a message to some addresses, which are mailboxes,
// aliases of cleanup(8) or aliases of local(8), its lines in any order that Postfix may write them
// in. Whatever is told in between is nothing, or what is true in the end; in the end it is told.
#include "common/maillog/trace_router.h"
#include "tests/fuzz/postfix_writer.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace {

using mtrk::Action;
using mtrk::FuzzInput;
using mtrk::maillog::Attempt;
using mtrk::maillog::DeliveryEvent;
using mtrk::maillog::DeliveryTrace;

constexpr std::string_view kId = "4jY1000000z1V";

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

struct Line {
  std::string agent, target, original, status;
};

// What was given at RCPT, or was added; with its lines, in the order in which they come.
struct Address {
  std::string given;
  bool expanded_by_local = false;
  std::vector<Line> lines;

  // local(8) logs a mailbox of the same name as a delivery like any other.
  [[nodiscard]] bool begins_with_itself() const { return lines[0].original.empty(); }
  [[nodiscard]] Action truth() const {
    if (lines.size() > 1) {
      return Action::expanded;
    }
    const Line& line = lines[0];
    return line.status == "deferred"  ? Action::delayed
           : line.status == "bounced" ? Action::failed
           : line.agent == "smtp"     ? Action::relayed
                                      : Action::delivered;
  }
};

Address make_address(FuzzInput& in, std::size_t number) {
  Address made;
  made.given = "r" + std::to_string(number) + "@a.example";
  made.expanded_by_local = in.below(4) == 0;
  const std::size_t lines = 1 + in.below(3);
  const bool itself = !made.expanded_by_local && in.below(2) == 0;
  for (std::size_t i = 0; i < lines; ++i) {
    Line line;
    line.agent =
        made.expanded_by_local ? "local" : mtrk::one_of<3>(in, {"smtp", "virtual", "local"});
    line.status = mtrk::one_of<4>(in, {"sent", "sent", "bounced", "deferred"});
    line.target = "m" + std::to_string(10 * number + i) + "@b.example";
    line.original = made.given;
    if (itself && i == 0) {
      line.target = made.given;
      line.original.clear();
    }
    made.lines.push_back(std::move(line));
  }
  std::rotate(made.lines.begin(),
              made.lines.begin() +
                  static_cast<std::ptrdiff_t>(in.below(static_cast<unsigned>(made.lines.size()))),
              made.lines.end());
  return made;
}

class OneTrace : public mtrk::maillog::TraceIndex {
 public:
  explicit OneTrace(std::vector<std::string> recipients)
      : trace_(mtrk::QueueId::parse(std::string(kId)).value(),
               std::nullopt,
               std::move(recipients),
               mtrk::maillog::Recipients::captured) {}
  DeliveryTrace* find(std::string_view queue_id) override {
    return queue_id == kId ? &trace_ : nullptr;
  }
  void bind(std::string_view /*queue_id*/, DeliveryTrace& /*trace*/) override {}
  void changed(DeliveryTrace& /*trace*/,
               std::span<const std::size_t> recipients,
               const DeliveryEvent& /*event*/) override {
    changed_.insert(changed_.end(), recipients.begin(), recipients.end());
  }
  [[nodiscard]] DeliveryTrace& trace() { return trace_; }
  [[nodiscard]] std::vector<std::size_t> take_changed() { return std::exchange(changed_, {}); }

 private:
  DeliveryTrace trace_;
  std::vector<std::size_t> changed_;
};

DeliveryEvent event_of(const Line& line, mtrk::LogTime at) {
  DeliveryEvent event{at, kId, {}};
  Attempt& attempt = event.what.emplace<Attempt>();
  attempt.agent = line.agent;
  attempt.recipient = line.target;
  attempt.original = line.original;
  attempt.relay = line.agent;
  if (line.agent == "smtp") {
    attempt.relay = line.status == "deferred" ? "none" : "mx.b.example[192.0.2.1]:25";
  }
  attempt.status = line.status;
  attempt.dsn = mtrk::EnhancedStatus{static_cast<std::uint8_t>(line.status == "sent"      ? 2
                                                               : line.status == "bounced" ? 5
                                                                                          : 4),
                                     1, 1};
  attempt.text = "250 ok";
  return event;
}

// As the store does it between two transactions.
void store_and_load(DeliveryTrace& trace) {
  std::string stored;
  trace.encode(stored);
  std::string_view in = stored;
  auto again = DeliveryTrace::decode(in);
  require(again.has_value() && in.empty());
  trace = *std::move(again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput in(data, size);
  std::vector<Address> addresses;
  std::vector<std::string> given;
  const std::size_t captured = 1 + in.below(4);
  const std::size_t added = in.below(3);
  std::uint32_t counted = in.below(4) == 0 ? 1 : 0;  // a milter took it back: it has no line
  bool by_local = false;
  for (std::size_t i = 0; i < captured + added; ++i) {
    addresses.push_back(make_address(in, i));
    const Address& made = addresses.back();
    if (i < captured) {
      given.push_back(made.given);
    }
    by_local = by_local || (made.expanded_by_local && made.lines.size() > 1);
    counted += made.expanded_by_local ? 1 : static_cast<std::uint32_t>(made.lines.size());
  }

  OneTrace index(std::move(given));
  mtrk::maillog::TraceRouter router({});
  const mtrk::LogTime start{mtrk::Seconds(1795219200)};
  const auto active = [&](mtrk::Seconds after) {
    router.route({start + after, kId, mtrk::maillog::Queued{"s@a", counted}}, index);
  };
  std::vector<Action> told(captured, Action::delayed);
  const auto check = [&] {
    const std::vector<std::size_t> changed = index.take_changed();
    for (std::size_t i = 0; i < captured; ++i) {
      const Action now = action_of(index.trace().outcome(i, {}));
      // Two lines of local(8) for an alias of its own look like two of the queue manager's.
      const bool early = by_local && addresses[i].begins_with_itself();
      require(now == Action::delayed || now == addresses[i].truth() || early);
      require(told[i] == Action::delayed || told[i] == now || early);
      require(told[i] == now || std::find(changed.begin(), changed.end(), i) != changed.end());
      told[i] = now;
    }
  };

  active(mtrk::Seconds(0));
  std::vector<std::size_t> next(addresses.size(), 0);
  std::vector<std::size_t> open(addresses.size());
  for (std::size_t i = 0; i < open.size(); ++i) {
    open[i] = i;
  }
  bool put_off = false;
  for (int second = 1; !open.empty(); ++second) {
    const std::size_t chosen = in.below(static_cast<unsigned>(open.size()));
    const std::size_t address = open[chosen];
    const Line& line = addresses[address].lines[next[address]];
    router.route(event_of(line, start + mtrk::Seconds(second / 4)), index);
    put_off = put_off || line.status == "deferred";
    if (++next[address] == addresses[address].lines.size()) {
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
    switch (in.below(8)) {
      case 0:
      case 1:
        store_and_load(index.trace());
        break;
      case 2:  // the queue manager was restarted, before anything was put off
        if (!put_off) {
          active(mtrk::Seconds(second));
        }
        break;
      default:
        break;
    }
    check();
  }
  if (put_off) {
    active(mtrk::Seconds(300));
  } else {
    router.route({start + mtrk::Seconds(300), kId, mtrk::maillog::Removed{"qmgr"}}, index);
  }
  check();
  for (std::size_t i = 0; i < captured; ++i) {
    require(told[i] == addresses[i].truth());
  }
  return 0;
}

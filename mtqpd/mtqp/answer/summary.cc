#include "mtqpd/mtqp/answer/summary.h"

#include "common/base/ascii.h"
#include "mtqpd/mtqp/answer/status_words.h"

#include <algorithm>
#include <array>

namespace mtrk::cli {
namespace {

constexpr std::size_t kMaxPart = 120;

// The actions are in the order of urgency: the summary explains the first with which a journey
// ends.
constexpr Action kActions[] = {Action::failed,      Action::delayed, Action::opaque,
                               Action::transferred, Action::relayed, Action::expanded,
                               Action::delivered};

std::string explain(const ReportedRecipient& recipient) {
  std::string text(mtrk::to_string(recipient.action));
  if (recipient.status) {
    text += " (" + format_enhanced_status(*recipient.status) + ", " +
            std::string(words_for(*recipient.status)) + ")";
  }
  if (recipient.remote_mta) {
    text += " by way of " + escape_for_people(recipient.remote_mta->name, kMaxPart);
  }
  return text;
}

std::string describe(const std::vector<Journey>& journeys) {
  if (journeys.size() == 1) {
    return escape_for_people(address_of(*journeys.front().front().recipient).value, kMaxPart) +
           " " + explain(*journeys.front().back().recipient);
  }
  std::string text = std::to_string(journeys.size()) + " recipients";
  const Journey* worst = nullptr;
  for (const Action action : kActions) {
    const auto ends_so = [&](const Journey& journey) {
      return journey.back().recipient->action == action;
    };
    const auto count = std::count_if(journeys.begin(), journeys.end(), ends_so);
    if (count > 0) {
      text += ", " + std::to_string(count) + " " + std::string(mtrk::to_string(action));
      worst = worst != nullptr ? worst : &*std::find_if(journeys.begin(), journeys.end(), ends_so);
    }
  }
  if (worst != nullptr && worst->back().recipient->action != Action::delivered) {
    text += "; " + escape_for_people(address_of(*worst->front().recipient).value, kMaxPart) + " " +
            explain(*worst->back().recipient);
  }
  return text;
}

}  // namespace

std::string_view state_of(const Travel& travel) {
  static constexpr std::array<std::string_view, 8> kStates = {
      "handed over", "under way", "failed", "no information", "network", "tls", "protocol", "loop"};
  const int code = exit_code_of(travel);
  if (code == 0) {
    const std::vector<Journey> journeys = journeys_of(travel);
    if (std::all_of(journeys.begin(), journeys.end(), [](const Journey& journey) {
          return journey.back().recipient->action == Action::delivered;
        })) {
      return "delivered";
    }
  }
  return kStates[static_cast<std::size_t>(code)];
}

std::string summary_line(const Travel& travel) {
  std::string line = std::string(state_of(travel)) + ": ";
  if (const HopFailure* failure = travel.hops.front().failure()) {
    return line + escape_for_people(to_string(travel.hops.front().server), kMaxPart) + ": " +
           escape_for_people(failure->detail, 2 * kMaxPart);
  }
  line += describe(journeys_of(travel));
  if (travel.loop) {
    line += "; the servers refer to each other in a circle";
  }
  if (travel.hop_limit) {
    line += "; there are more servers to ask than allowed";
  }
  return line;
}

}  // namespace mtrk::cli

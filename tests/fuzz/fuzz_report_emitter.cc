// Tracked messages with hostile strings: the report must satisfy the strict checker and read back
// as the same number of recipients.
#include "common/track/tracking_report.h"
#include "tests/support/random_message.h"
#include "tests/support/report_checker.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mtrk::testing::ChoiceSource choices({reinterpret_cast<const char*>(data), size});
  const std::string envelope_id = choices.text();
  std::vector<mtrk::TrackedMessage> messages;
  std::size_t groups = 0;
  for (std::uint32_t i = choices.below(4); i > 0; --i) {
    messages.push_back(choices.message());
    groups += messages.back().recipients.size();
  }
  std::string out;
  mtrk::append_report(out, envelope_id, mtrk::MessageViews(messages).messages(), "b1");
  const mtrk::testing::CheckedReport checked = mtrk::testing::ReportChecker::check(out);
  if (!checked.problem.empty() || checked.groups != groups) {
    std::fprintf(stderr, "%s\n%s", checked.problem.c_str(), out.c_str());
    std::abort();
  }
  if (groups > 0) {
    const auto parsed = mtrk::parse_report(out, {.octets = out.size(), .parts = 4});
    std::size_t read = 0;
    for (const mtrk::TrackingStatus& status : parsed.value()) {
      read += status.recipients.size();
    }
    if (read != groups) {
      std::abort();
    }
  }
  return 0;
}

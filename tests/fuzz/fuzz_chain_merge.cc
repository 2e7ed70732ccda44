// The answer of another server, as hostile as it likes: what is made of it is a report that the
// strict checker accepts, about nobody but those who were asked about, in each style.
#include "common/track/confidentiality.h"
#include "common/track/tracking_report.h"
#include "mtqpd/chain/merge.h"
#include "tests/support/report_checker.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr char kId[] = "1@x.test";

void require(bool right, const std::string& text) {
  if (!right) {
    std::fprintf(stderr, "%s\n", text.c_str());
    std::abort();
  }
}

std::vector<mtrk::TrackedMessage> own_messages() {
  mtrk::TrackedMessage message;
  message.reporting_mta = {"dns", "a.example.test"};
  for (const char* address : {"u@x.test", "v@x.test"}) {
    const mtrk::TypedAddress typed{"rfc822", address};
    message.recipients.push_back(
        {typed, typed,
         mtrk::Transferred{
             *mtrk::SuccessStatus::make({2, 4, 0}), mtrk::TimePoint(), {"dns", "b.example.test"}},
         false});
  }
  return {message};
}

void check(const std::string& report, std::size_t parts) {
  const mtrk::testing::CheckedReport checked = mtrk::testing::ReportChecker::check(report);
  require(checked.problem.empty() && checked.parts == parts, checked.problem + '\n' + report);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const mtrk::mtqpd::ChainRules rules{{"example.test"}, false};
  const std::vector<mtrk::TrackedMessage> own = own_messages();
  const auto parsed =
      mtrk::parse_report({reinterpret_cast<const char*>(data), size}, {256 * 1024, 32});
  if (!parsed) {
    return 0;
  }
  const std::vector<mtrk::TrackedMessage> onward =
      mtrk::mtqpd::accept_parts(*parsed, "b.example.test", {kId, own, rules});
  for (const mtrk::TrackedMessage& part : onward) {
    require(part.reporting_mta.name != "a.example.test", "a part of ours");
  }
  mtrk::MessageViews views(onward);
  for (const bool hide : {false, true}) {
    if (hide) {
      mtrk::mtqpd::disguise_hosts(views.messages(), {"dns", "a.example.test"});
    }
    std::string report;
    mtrk::append_report(report, kId, mtrk::MessageViews(own).messages(), "b-0123456789");
    check(report, 1);
    const std::size_t added =
        mtrk::mtqpd::append_parts(report, kId, views.messages(), std::size_t{1} << 20);
    check(report, 1 + added);
  }
  std::vector<mtrk::TrackedMessage> final = own;
  require(mtrk::mtqpd::adopt_final_outcomes(final, onward, rules) <= 2, "too many");
  std::string report;
  mtrk::append_report(report, kId, mtrk::MessageViews(final).messages(), "b-0123456789");
  check(report, 1);
  return 0;
}

// Any octets as each spelling of time: what is accepted formats to something that reads back as the
// same instant, zone or duration.
#include "common/base/time.h"

#include <cstdint>
#include <cstdlib>

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// format_x writes four-digit years and moves what its zone pushes out of them.
bool in_four_digit_years(mtrk::TimePoint at, int first_year) {
  const auto start = [](int year) {
    return mtrk::TimePoint(std::chrono::sys_days{std::chrono::year{year} / 1 / 1});
  };
  return at >= start(first_year) + std::chrono::days(5) && at < start(10000) - std::chrono::days(5);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  if (const auto time = mtrk::parse_rfc5322_date(text); time) {
    const auto back =
        mtrk::parse_rfc5322_date(mtrk::format_rfc5322_date(time->at, time->utc_offset));
    require(back.has_value() && back->utc_offset == time->utc_offset);
    require(back->at == time->at || !in_four_digit_years(time->at, 1900));
  }
  if (const auto time = mtrk::parse_rfc3339(text); time) {
    const auto back = mtrk::parse_rfc3339(mtrk::format_rfc3339(time->at));
    require(back.has_value());
    require(back->at == time->at ||
            !in_four_digit_years(std::chrono::floor<mtrk::Seconds>(time->at), 0));
  }
  if (const auto duration = mtrk::parse_duration(text); duration) {
    const auto back = mtrk::parse_duration(mtrk::format_duration(*duration));
    require(back.has_value() && *back == *duration);
  }
  return 0;
}

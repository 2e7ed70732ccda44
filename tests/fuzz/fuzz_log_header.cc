// Any octets as the lines of a log, whatever their header: what a line is split into is part of it,
// or of what was decoded from it; what transports leave behind a record changes nothing; the years
// of a log are found whatever stands in it.
#include "common/maillog/line_ends.h"
#include "common/maillog/log_format_tally.h"
#include "common/maillog/log_line.h"
#include "common/maillog/log_parser.h"
#include "common/maillog/log_years.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

using namespace mtrk::maillog;

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

bool is_within(std::string_view whole, std::string_view part) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_line(std::string_view text, const StampContext& context, StampMemo& memo) {
  const std::optional<LogLine> line = split_log_line(text, context, &memo);
  static_cast<void>(holds_mail_record(text));
  const std::string_view record = record_of(text);
  require(text.starts_with(record) && record_of(record) == record);
  if (!line) {
    return;
  }
  for (const std::string_view part : {line->host, line->program, line->text}) {
    require(is_within(text, part) || is_within(memo.decoded, part));
  }
  const std::string program(line->program);
  const std::string rest(line->text);
  for (const std::string_view behind : {"\r", " \t", "\x1b[0m", "#015"}) {
    const std::string longer = std::string(text) + std::string(behind);
    StampMemo again;
    const std::optional<LogLine> same = split_log_line(longer, context, &again);
    require(same && same->program == program && same->text == rest);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const mtrk::TimePoint reference{mtrk::Seconds(1795219200)};
  const StampContext context{reference, mtrk::Minutes(0)};
  StampMemo memo;
  std::vector<YearSample> samples;
  for (std::size_t begin = 0; begin < input.size();) {
    const std::size_t end = std::min(input.find('\n', begin), input.size());
    const std::string_view text = std::string_view(input).substr(begin, end - begin);
    check_line(text, context, memo);
    samples.push_back({begin, text});
    begin = end + 1;
  }
  static_cast<void>(guess_mta(input, context));
  const std::vector<YearStretch> stretches = find_years(samples, reference, mtrk::Minutes(0));
  require(!stretches.empty());
  require(std::is_sorted(stretches.begin(), stretches.end(),
                         [](const auto& a, const auto& b) { return a.end < b.end; }));
  return 0;
}

// Any octets as a log line: parser and header splitter never look outside of it, and what they
// return is part of it.
#include "common/maillog/postfix_log.h"
#include "common/maillog/relay.h"

#include <cstdint>
#include <cstdlib>
#include <string>

using mtrk::maillog::Attempt;
using mtrk::maillog::DeliveryEvent;

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void require_within(std::string_view whole, std::string_view part) {
  require(part.empty() || (part.data() >= whole.data() &&
                           part.data() + part.size() <= whole.data() + whole.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const mtrk::maillog::StampContext context{mtrk::TimePoint(mtrk::Seconds(1795219200)),
                                            mtrk::Minutes(0)};
  mtrk::maillog::LogLine line{};
  if (const auto split = mtrk::maillog::split_log_line(input, context)) {
    line = *split;
    require_within(input, line.host);
    require_within(input, line.program);
    require_within(input, line.text);
  } else {
    line.program = "postfix/smtp";
    line.text = input;
  }
  const mtrk::maillog::ParsedLine parsed = mtrk::maillog::parse_postfix(line);
  if (const DeliveryEvent* event = std::get_if<DeliveryEvent>(&parsed)) {
    require(!event->queue_id.empty());
    require_within(line.text, event->queue_id);
    if (const Attempt* attempt = std::get_if<Attempt>(&event->what)) {
      require_within(input, attempt->recipient);
      require_within(input, attempt->text);
      require(!attempt->status.empty());
      static_cast<void>(remote_mta(mtrk::maillog::parse_relay(attempt->relay)));
    }
  }
  return 0;
}

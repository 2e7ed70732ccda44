#include "common/maillog/mailscanner_log.h"

#include "common/base/ascii.h"
#include "common/maillog/field_scanner.h"
#include "common/maillog/record_end.h"
#include "common/track/queue_id.h"

namespace mtrk::maillog {

bool is_mailscanner(std::string_view program) {
  constexpr std::string_view kName = "mailscanner";
  if (program.find('/') != std::string_view::npos) {
    return false;  // it is Postfix's own: "postfix/smtp"
  }
  for (std::size_t i = 0; i + kName.size() <= program.size(); ++i) {
    if (iequals(program.substr(i, kName.size()), kName)) {
      return true;
    }
  }
  return false;
}

bool parse_mailscanner(const LogLine& line, DeliveryEvent& event) {
  FieldScanner scan(line.text);
  if (!scan.take("Requeue: ") || !is_mailscanner(line.program)) {
    return false;
  }
  const std::string_view old_id = scan.take_word();
  if (scan.take(".")) {
    // This key makes the name unique where queue ids are not unique.
    static_cast<void>(scan.take_word());
  }
  if (!scan.take(" to ")) {
    return false;
  }
  const std::string_view new_id = scan.take_word();
  if (!QueueId::is_queue_id(old_id) || !QueueId::is_queue_id(new_id) || !is_litter(scan.rest())) {
    return false;
  }
  event.at = line.at;
  event.queue_id = new_id;
  event.host = line.host;
  event.program = {};  // it does not say for which instance of Postfix it works
  event.what.emplace<Pickup>(Pickup{old_id});
  return true;
}

}  // namespace mtrk::maillog

#include "common/track/queue_id.h"

#include "common/base/ascii.h"

#include <algorithm>

namespace mtrk {

bool QueueId::is_queue_id(std::string_view text) {
  return text.size() >= 6 && text.size() <= 32 && std::all_of(text.begin(), text.end(), is_alnum);
}

std::optional<QueueId> QueueId::parse(std::string_view text) {
  if (!is_queue_id(text)) {
    return std::nullopt;
  }
  return QueueId(std::string(text));
}

}  // namespace mtrk

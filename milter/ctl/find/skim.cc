#include "milter/ctl/find/skim.h"

#include "common/base/ascii.h"
#include "common/maillog/record_end.h"

#include <algorithm>
#include <optional>

namespace mtrk::find {
EndLink link_before_litter(std::string_view text) {
  const std::optional<std::string_view> whole = maillog::up_to_last(text, ')');
  return whole ? link_at_end(*whole) : EndLink{};
}

EndLink link_at_end(std::string_view text) {
  constexpr std::string_view kAs = " as ";
  std::size_t begin = text.size() - 1;  // the place of ")"
  while (begin > 0 && text.size() - 1 - begin <= kLongestId && is_alnum(text[begin - 1])) {
    --begin;
  }
  const std::string_view id(text.data() + begin, text.size() - 1 - begin);
  if (id.size() < kShortestId || id.size() > kLongestId || begin < kAs.size() + 9 ||
      text[begin - 1] != ' ' || text[begin - 2] != 's') {
    return {};
  }
  if (text.substr(begin - kAs.size(), kAs.size()) != kAs) {
    return {};
  }
  const std::string_view before = text.substr(0, begin - kAs.size());
  const bool queued = before.ends_with("queued");
  return queued || before.ends_with("forwarded") ? EndLink{id, queued} : EndLink{};
}

std::string_view link_of_client(std::string_view text) {
  constexpr std::string_view kQueue = ", orig_queue_id=";
  constexpr std::string_view kPickup = " orig_id=";
  const bool client = text[0] == 'c';
  const std::string_view key = client ? kQueue : kPickup;
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = text.substr(at + key.size());
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_alnum);
  return rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
}

bool is_handed_to_this_host(std::string_view text) {
  const std::size_t relay = text.find(", relay=");
  if (relay == std::string_view::npos) {
    return false;
  }
  constexpr std::size_t kKey = 8;
  const std::string_view rest = text.substr(relay + kKey);
  const std::string_view field = rest.substr(0, std::min(rest.find(", "), rest.size()));
  return field.find("[127.") != std::string_view::npos ||
         field.find("[::1]") != std::string_view::npos || field.starts_with("localhost") ||
         field.find('[') == std::string_view::npos ||  // a pipe or something unknown
         field.find("[/") != std::string_view::npos;   // a socket
}

}  // namespace mtrk::find

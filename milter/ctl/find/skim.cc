#include "milter/ctl/find/skim.h"

#include "common/base/ascii.h"

#include <algorithm>
#include <cstring>

namespace mtrk::find {
namespace {

constexpr std::size_t kShortestId = 6;
constexpr std::size_t kLongestId = 32;
constexpr std::size_t kTraditional = 16;  // octets of "Nov 21 16:49:22 "
constexpr std::size_t kShortestLine = 32;

// Where the host begins; 0 if the stamp is none of the two.
std::size_t behind_stamp(std::string_view line) {
  if (is_alpha(line[0])) {
    const bool traditional = line[3] == ' ' && line[6] == ' ' && line[9] == ':' &&
                             line[12] == ':' && line[15] == ' ' && is_digit(line[5]) &&
                             is_digit(line[14]);
    return traditional ? kTraditional : 0;
  }
  if (is_digit(line[0]) && line[4] == '-' && line[7] == '-' && line[10] == 'T' && line[13] == ':' &&
      line[16] == ':') {
    const std::size_t blank = octets::find_near(line.substr(kTraditional), ' ');
    return kTraditional + blank + 1;
  }
  return 0;
}

}  // namespace

std::string_view skim_header(std::string_view line) {
  if (line.size() < kShortestLine) {
    return {};
  }
  std::size_t at = behind_stamp(line);
  if (at == 0 || at >= line.size()) {
    return {};
  }
  at += octets::find_near(line.substr(at), ' ') + 1;
  if (at >= line.size()) {
    return {};
  }
  const char first = line[at];
  std::size_t open = at;
  while (open < line.size() && line[open] != '[' && line[open] != ' ' && line[open] != ':') {
    ++open;
  }
  if (open == at || open >= line.size() || line[open] != '[' || first == 'd' || first == 'c') {
    return {};
  }
  std::size_t close = open + 1;
  while (close < line.size() && is_digit(line[close])) {
    ++close;
  }
  const bool tag = close > open + 1 && close + 3 < line.size() && line[close] == ']' &&
                   line[close + 1] == ':' && line[close + 2] == ' ' && line[close + 3] != '[';
  return tag ? line.substr(close + 3) : std::string_view();
}

std::string_view queue_id_of(std::string_view record) {
  std::size_t size = 0;
  bool good = false;
  const std::size_t limit = std::min(record.size(), kLongestId + 1);
  while (size < limit && is_alnum(record[size])) {
    good = good || is_digit(record[size]);
    ++size;
  }
  if (size < kShortestId || size > kLongestId || size + 1 >= record.size()) {
    return {};
  }
  const bool ends = (record[size] == ':' && record[size + 1] == ' ') ||
                    (record[size] == '[' && is_digit(record[size + 1]));
  if (!ends) {
    return {};
  }
  const std::string_view id = record.substr(0, size);
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'F'; };
  return good || std::all_of(id.begin(), id.end(), is_capital) ? id : std::string_view();
}

EndLink link_at_end(std::string_view text) {
  constexpr std::string_view kAs = " as ";
  std::size_t begin = text.size() - 1;  // of ")"
  while (begin > 0 && text.size() - 1 - begin <= kLongestId && is_alnum(text[begin - 1])) {
    --begin;
  }
  const std::string_view id = text.substr(begin, text.size() - 1 - begin);
  if (id.size() < kShortestId || id.size() > kLongestId || begin < kAs.size() + 9 ||
      text.substr(begin - kAs.size(), kAs.size()) != kAs) {
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
  return rest.substr(0, std::min(rest.find_first_of(", \r"), rest.size()));
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
         field.find('[') == std::string_view::npos ||  // a pipe, or nothing we know
         field.find("[/") != std::string_view::npos;   // a socket
}

std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15;
  const auto mix = [](std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  std::uint64_t hash = mix(seed ^ text.size(), kMix);
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left > octets::kWord; left -= octets::kWord, at += octets::kWord) {
    hash = mix(hash ^ octets::load(at), kMix | seed);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, at, left);
  return mix(hash ^ rest, kMix + seed);
}

}  // namespace mtrk::find

#include "common/config/config_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace mtrk {

namespace {

constexpr std::size_t kLongestName = 40;

// Returns how many insertions, deletions, substitutions and swaps of neighbours turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  std::iota(previous.begin(), previous.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

// A NearestName keeps the nearest of the names that it is offered, if one is near enough to be a
// typing mistake.
class NearestName {
 public:
  explicit NearestName(std::string_view wanted) : wanted_(wanted) {}

  void offer(std::string_view name) {
    if (wanted_.size() > kLongestName) {
      return;
    }
    const std::size_t distance = edit_distance(wanted_, name);
    if (distance < distance_ && distance * 3 <= std::max(wanted_.size(), name.size())) {
      distance_ = distance;
      nearest_ = name;
    }
  }
  [[nodiscard]] std::string_view get() const { return nearest_; }

 private:
  std::string_view wanted_;
  std::string_view nearest_;
  std::size_t distance_ = kLongestName;
};

}  // namespace

std::string hint_for_key(std::string_view section, std::string_view key) {
  NearestName nearest(key);
  const ConfigOption* elsewhere = nullptr;
  for (const ConfigOption& option : config_options()) {
    if (option.section == section) {
      nearest.offer(option.key);
    } else if (option.key == key && elsewhere == nullptr) {
      elsewhere = &option;
    }
  }
  if (elsewhere != nullptr) {
    return elsewhere->section.empty() ? std::string("; it belongs before the first section")
                                      : fmt::format("; it belongs in [{}]", elsewhere->section);
  }
  return nearest.get().empty() ? std::string()
                               : fmt::format("; did you mean \"{}\"?", nearest.get());
}

std::string hint_for_section(std::string_view section) {
  NearestName nearest(section);
  for (const ConfigSection& known : config_sections()) {
    nearest.offer(known.name);
  }
  return nearest.get().empty() ? std::string() : fmt::format("; did you mean [{}]?", nearest.get());
}

}  // namespace mtrk

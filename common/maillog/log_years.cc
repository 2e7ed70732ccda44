#include "common/maillog/log_years.h"

#include "common/maillog/log_line.h"

#include <algorithm>
#include <chrono>
#include <optional>

namespace mtrk::maillog {
namespace {

constexpr std::chrono::days kDisorder{1};
constexpr std::chrono::days kDisorderWithinYear{90};
constexpr std::chrono::days kLongYear{366};
constexpr std::size_t kMostStretches = 256;

struct Dated {
  TimePoint at;
  bool dated;
};

class YearFinder {
 public:
  YearFinder(std::span<const YearSample> samples, TimePoint reference, const LocalOffsets& zone)
      : samples_(samples), zone_(zone) {
    stretches_.push_back({.reference = reference});
    end_at_last_year_told();
  }

  std::vector<YearStretch> find() {
    TimePoint following = stretches_.front().reference;
    std::uint64_t following_begins = stretches_.front().end;
    bool last = true;
    for (std::size_t i = samples_.size(); i > 0; --i) {
      const YearSample& sample = samples_[i - 1];
      const std::optional<Dated> line = resolve(sample, following, last);
      if (!line) {
        continue;
      }
      const std::optional<Dated> as_it_is = read(sample, stretches_.back().reference);
      if (!line->dated && (!as_it_is || as_it_is->at != line->at) &&
          stretches_.size() < kMostStretches) {
        stretches_.push_back({following_begins, std::max(line->at, following)});
      }
      following = line->at;
      following_begins = sample.offset;
      last = false;
    }
    std::reverse(stretches_.begin(), stretches_.end());
    return std::move(stretches_);
  }

 private:
  [[nodiscard]] std::optional<Dated> read(const YearSample& sample, TimePoint reference) const {
    StampMemo memo;
    const std::optional<LogLine> line = split_log_line(sample.line, {reference, zone_}, &memo);
    return line ? std::optional(Dated{std::chrono::floor<Seconds>(line->at), line->dated})
                : std::nullopt;
  }

  [[nodiscard]] std::chrono::year year_of(TimePoint at) const {
    return std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(at + zone_.at(at)))
        .year();
  }

  // The last line is followed by the time when the log was written.
  [[nodiscard]] std::optional<Dated> resolve(const YearSample& sample,
                                             TimePoint following,
                                             bool last) const {
    std::optional<Dated> line = read(sample, following);
    if (last || (line && line->dated)) {
      return line;
    }
    const std::optional<Dated> later = read(sample, following + kDisorderWithinYear);
    const bool disorder =
        later && later->at > following + kDisorder && year_of(later->at) == year_of(following);
    return disorder ? later : line;
  }

  // The lines after the last one with a year are dated from that line, if they are nearer to it
  // than to the time when the log was written.
  void end_at_last_year_told() {
    if (samples_.empty()) {
      return;
    }
    TimePoint& reference = stretches_.front().reference;
    const std::optional<Dated> last = read(samples_.back(), reference);
    if (!last || last->dated || reference - last->at <= kDisorder) {
      return;
    }
    for (std::size_t i = samples_.size() - 1; i > 0; --i) {
      const std::optional<Dated> told = read(samples_[i - 1], reference);
      if (told && told->dated) {
        // This is the first year that does not put the last line before that one.
        const std::optional<Dated> next =
            read(samples_.back(), told->at + kLongYear - 3 * kDisorder);
        if (next && next->at - told->at < reference - last->at) {
          reference = next->at;
        }
        return;
      }
    }
  }

  std::span<const YearSample> samples_;
  const LocalOffsets& zone_;
  std::vector<YearStretch> stretches_;  // from the last to the first
};

}  // namespace

std::vector<YearStretch> find_years(std::span<const YearSample> samples,
                                    TimePoint reference,
                                    const LocalOffsets& zone) {
  return YearFinder(samples, reference, zone).find();
}

const YearStretch& stretch_at(const std::vector<YearStretch>& stretches, std::uint64_t offset) {
  const auto found = std::find_if(stretches.begin(), stretches.end(),
                                  [&](const YearStretch& stretch) { return offset < stretch.end; });
  return found == stretches.end() ? stretches.back() : *found;
}

}  // namespace mtrk::maillog

#include "milter/ctl/log_years.h"

#include "common/base/local_offset.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>

namespace mtrk {
namespace {

using maillog::YearSample;
using maillog::YearStretch;

constexpr std::uint64_t kSmall = std::uint64_t{256} << 10;  // octets of a file that is read whole
constexpr std::uint64_t kSamples = 256;                     // for a larger file
constexpr std::size_t kLook = 2048;                         // octets in which a line should begin
constexpr std::size_t kHeader = 256;  // octets of a line that contain its stamp

std::string read_some(int fd, std::uint64_t offset, std::size_t wanted) {
  std::string octets(wanted, '\0');
  std::size_t got = 0;
  while (got < wanted) {
    const ssize_t n =
        ::pread(fd, octets.data() + got, wanted - got, static_cast<off_t>(offset + got));
    if (n > 0) {
      got += static_cast<std::size_t>(n);
    } else if (n == 0 || errno != EINTR) {
      break;
    }
  }
  octets.resize(got);
  return octets;
}

// Beginnings holds the beginnings of lines from the whole file, one after the other, each with a
// line feed.
struct Beginnings {
  std::string text;
  std::vector<std::uint64_t> offsets;
};

Beginnings beginnings_of(int fd, std::uint64_t size) {
  Beginnings result;
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    const std::uint64_t offset = size / kSamples * i;
    const std::string octets = read_some(fd, offset, kLook);
    const std::size_t feed = i == 0 ? std::string::npos : octets.find('\n');
    const std::size_t begin = i == 0 ? 0 : feed + 1;  // also 0 if there is no line feed
    if ((i != 0 && feed == std::string::npos) || begin >= octets.size()) {
      continue;
    }
    const std::size_t end = std::min(octets.find('\n', begin), begin + kHeader);
    if (result.offsets.empty() || offset + begin > result.offsets.back()) {
      result.offsets.push_back(offset + begin);
      result.text.append(octets, begin, end - begin) += '\n';
    }
  }
  return result;
}

}  // namespace

std::vector<YearStretch> years_of_file(int fd, std::uint64_t size, TimePoint reference) {
  if (size <= kSmall) {
    return years_of_lines(read_some(fd, 0, static_cast<std::size_t>(size)), reference);
  }
  const Beginnings beginnings = beginnings_of(fd, size);
  std::vector<YearSample> samples;
  std::string_view text = beginnings.text;
  for (const std::uint64_t offset : beginnings.offsets) {
    const std::size_t feed = text.find('\n');
    samples.push_back({offset, text.substr(0, feed)});
    text.remove_prefix(feed + 1);
  }
  return maillog::find_years(samples, reference, local_offsets(reference));
}

std::vector<YearStretch> years_of_lines(std::string_view lines, TimePoint reference) {
  std::vector<YearSample> samples;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t feed = std::min(lines.find('\n', begin), lines.size());
    samples.push_back({begin, lines.substr(begin, feed - begin)});
    begin = feed + 1;
  }
  return maillog::find_years(samples, reference, local_offsets(reference));
}

}  // namespace mtrk

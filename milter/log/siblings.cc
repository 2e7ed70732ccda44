#include "milter/log/siblings.h"

#include "common/base/ascii.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>

namespace mtrk {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

bool is_compressed(std::string_view name) {
  constexpr std::string_view kSuffixes[] = {".gz", ".xz", ".bz2", ".zst", ".lz4", ".Z"};
  return std::any_of(std::begin(kSuffixes), std::end(kSuffixes),
                     [&](std::string_view suffix) { return name.ends_with(suffix); });
}

std::int64_t nanoseconds(const struct statx_timestamp& at) {
  return std::int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
}

// Returns the number of a generation, 12 for "mail.log.12"; a higher one is older.
std::optional<unsigned> generation(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::nullopt
                                       : parse_number<unsigned>(path.substr(dot + 1));
}

bool older(const LogSibling& a, const LogSibling& b) {
  if (a.modified_ns != b.modified_ns) {
    return a.modified_ns < b.modified_ns;
  }
  const std::optional<unsigned> generation_a = generation(a.path);
  const std::optional<unsigned> generation_b = generation(b.path);
  if (generation_a && generation_b && *generation_a != *generation_b) {
    return *generation_a > *generation_b;
  }
  return a.path < b.path;
}

}  // namespace

std::vector<LogSibling> log_siblings(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string base = slash == std::string::npos ? path : path.substr(slash + 1);
  std::vector<LogSibling> siblings;
  const std::unique_ptr<DIR, CloseDirectory> stream(::opendir(directory.c_str()));
  if (!stream) {
    return siblings;
  }
  // readdir is safe here, because no other thread uses the stream.
  while (const dirent* entry = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name = entry->d_name;
    if (name.size() <= base.size() + 1 || !name.starts_with(base) ||
        std::string_view(".-_").find(name[base.size()]) == std::string_view::npos) {
      continue;
    }
    LogSibling sibling;
    sibling.path = slash == std::string::npos ? std::string(name) : directory + std::string(name);
    struct statx status {};
    if (::statx(AT_FDCWD, sibling.path.c_str(), 0, STATX_BASIC_STATS | STATX_BTIME, &status) != 0 ||
        !S_ISREG(status.stx_mode)) {
      continue;
    }
    sibling.id = {::makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino};
    sibling.size = status.stx_size;
    sibling.modified_ns = nanoseconds(status.stx_mtime);
    sibling.born_ns = (status.stx_mask & STATX_BTIME) != 0 ? nanoseconds(status.stx_btime) : 0;
    sibling.compressed = is_compressed(name);
    siblings.push_back(std::move(sibling));
  }
  std::sort(siblings.begin(), siblings.end(), older);
  return siblings;
}

}  // namespace mtrk

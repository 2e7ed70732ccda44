#include "milter/ctl/setup/files.h"

#include "common/base/small_file.h"
#include "common/base/unique_fd.h"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <utility>

namespace mtrk::setup {
namespace {

constexpr std::size_t kMaxFile = std::size_t{16} << 20;
constexpr mode_t kPermissions = 07777;
constexpr std::string_view kFresh = ".mtrk-new";  // ends the name of a file being written

Unexpected failed(std::string_view path, int error) {
  std::string detail = fmt::format("{}: {}", path, std::generic_category().message(error));
  if (error == EROFS) {
    detail += " (nothing was changed; mount it writable for the set-up)";
  }
  return fail(ErrorCode::not_allowed, std::move(detail));
}

// Puts a new file in the place of `path`. It gets the owner and the mode of `like`; without `like`,
// only root can access it.
Expected<void> put_in_place(const std::string& path,
                            std::string_view text,
                            const struct stat* like) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  const std::string fresh = path + std::string(kFresh);
  static_cast<void>(::unlink(fresh.c_str()));  // a killed set-up may have left it
  {
    const UniqueFd file(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    const auto give_up = [&] {
      const int error = errno;
      static_cast<void>(::unlink(fresh.c_str()));
      return failed(path, error);
    };
    if (!file) {
      return failed(path, errno);
    }
    if (like != nullptr && (::fchown(file.get(), like->st_uid, like->st_gid) != 0 ||
                            ::fchmod(file.get(), like->st_mode & kPermissions) != 0)) {
      return give_up();
    }
    if (!write_whole(file.get(), text) || ::fsync(file.get()) != 0 ||
        ::rename(fresh.c_str(), path.c_str()) != 0) {
      return give_up();
    }
  }
  if (const UniqueFd handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); handle) {
    static_cast<void>(::fsync(handle.get()));
  }
  return {};
}

}  // namespace

Expected<RealFile> read_real_file(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (real == nullptr) {
    return failed(path, errno);
  }
  std::optional<std::string> text = read_small_file(real.get(), kMaxFile + 1);
  if (!text) {
    return failed(path, errno);
  }
  if (text->size() > kMaxFile) {
    return failed(path, EFBIG);
  }
  return RealFile{real.get(), std::move(*text)};
}

Expected<void> replace_file(const FileChange& change) {
  const Expected<RealFile> now = read_real_file(change.path);
  if (!now) {
    return Unexpected(now.error());
  }
  if (now->text != change.before) {
    return fail(ErrorCode::not_allowed,
                fmt::format("{}: somebody else has just changed it; run this again", change.path));
  }
  struct stat status {};
  if (::stat(now->path.c_str(), &status) != 0) {
    return failed(change.path, errno);
  }
  return put_in_place(now->path, change.after, &status);
}

void remove_leftover(const std::string& path) {
  if (const Expected<RealFile> file = read_real_file(path)) {
    static_cast<void>(::unlink((file->path + std::string(kFresh)).c_str()));
  }
}

Expected<SavedFiles> SavedFiles::open(const std::string& folder, bool make) {
  if (make && ::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return failed(folder, errno);
  }
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && (make || errno != ENOENT)) {
    return failed(folder, errno);
  }
  SavedFiles saved(folder, fd);
  if (fd < 0) {
    return saved;
  }
  struct stat status {};
  if (::fstat(fd, &status) != 0 || status.st_uid != ::geteuid() || (status.st_mode & 022) != 0) {
    return fail(ErrorCode::not_allowed,
                fmt::format("{}: others than its owner may write into it", folder));
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::not_allowed, fmt::format("{}: another set-up is at work", folder));
  }
  struct Close {
    void operator()(DIR* entries) const { ::closedir(entries); }
  };
  const std::unique_ptr<DIR, Close> entries(::opendir(folder.c_str()));
  for (const dirent* entry = nullptr;
       entries != nullptr && (entry = ::readdir(entries.get())) != nullptr;) {
    const std::string name = entry->d_name;
    const std::string path = fmt::format("{}/{}", folder, name);
    if (name.ends_with(kFresh)) {
      static_cast<void>(::unlink(path.c_str()));
    }
    if (!name.starts_with('%') || name.ends_with(kFresh)) {
      continue;
    }
    const std::optional<std::string> text = read_small_file(path, 3 * kMaxFile);
    Expected<SavedFile> file = decode_saved_file(text.value_or(""));
    if (!file) {
      return fail(ErrorCode::corrupt,
                  fmt::format("{}: {}; it is what the undoing of a set-up needs: move it away to "
                              "go on without",
                              path, file.error().detail));
    }
    saved.files_.push_back(std::move(*file));
  }
  return saved;
}

const SavedFile* SavedFiles::find(const std::string& path) const {
  const auto found = std::find_if(files_.begin(), files_.end(),
                                  [&](const SavedFile& file) { return file.path == path; });
  return found == files_.end() ? nullptr : &*found;
}

std::string SavedFiles::path_for(const std::string& path) const {
  std::string name = path;
  std::replace(name.begin(), name.end(), '/', '%');
  return fmt::format("{}/{}", folder_, name);
}

Expected<void> SavedFiles::save(const SavedFile& saved) {
  if (Expected<void> put = put_in_place(path_for(saved.path), encode_saved_file(saved), nullptr);
      !put) {
    return put;
  }
  std::erase_if(files_, [&](const SavedFile& file) { return file.path == saved.path; });
  files_.push_back(saved);
  return {};
}

void SavedFiles::forget(const std::string& path) {
  static_cast<void>(::unlink(path_for(path).c_str()));
  std::erase_if(files_, [&](const SavedFile& file) { return file.path == path; });
  if (files_.empty()) {
    static_cast<void>(::rmdir(folder_.c_str()));
  }
}

SavedFiles::SavedFiles(SavedFiles&& other) noexcept
    : folder_(std::move(other.folder_)),
      fd_(std::exchange(other.fd_, -1)),
      files_(std::move(other.files_)) {}

SavedFiles::~SavedFiles() {
  if (fd_ >= 0) {
    ::close(fd_);
    // The folder was made for this set-up, which changed nothing.
    if (files_.empty()) {
      static_cast<void>(::rmdir(folder_.c_str()));
    }
  }
}

}  // namespace mtrk::setup

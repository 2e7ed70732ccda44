#include "mtqpd/mtqp_sent_file.h"

#include "common/base/unique_fd.h"
#include "common/base/wipe.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace mtrk::cli {
namespace {

[[noreturn]] void throw_errno(int error, const std::string& path) {
  throw std::system_error(error, std::generic_category(), path);
}

std::string to_line(const SentRecord& record) {
  boost::json::object object;
  object["v"] = 1;
  object["time"] = format_rfc3339(record.time);
  object["envelope_id"] = record.envelope_id;
  object["uri"] = record.uri;
  object["smtp"] = record.smtp;
  object["carrier"] = record.carrier;
  object["from"] = record.from;
  object["to"] = boost::json::array(record.to.begin(), record.to.end());
  return boost::json::serialize(object) + "\n";
}

// All folders above are the user's business; the last one is ours and closed to others.
void make_folder(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder.parent_path());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    throw_errno(errno, folder);
  }
}

UniqueFd open_private(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) {
    throw_errno(errno, path);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    throw_errno(errno, path);
  }
  const bool is_private =
      S_ISREG(status.st_mode) && status.st_uid == ::geteuid() && (status.st_mode & 077U) == 0;
  if (!is_private) {
    throw_errno(EPERM, path + " must be a file of this user with mode 0600");
  }
  return fd;
}

// All of it or an error; on an error nothing of the line stays, so that the file keeps its form.
void write_line(int fd, const std::string& line, const std::string& path) {
  const off_t before = ::lseek(fd, 0, SEEK_END);
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t n = ::write(fd, line.data() + done, line.size() - done);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      const int error = n < 0 ? errno : EIO;
      if (::ftruncate(fd, before) != 0) {
        throw_errno(errno, path + " (half a line remains)");
      }
      throw_errno(error, path);
    }
    done += static_cast<std::size_t>(n);
  }
  if (::fsync(fd) != 0) {
    throw_errno(errno, path);
  }
}

}  // namespace

std::string sent_file_path() {
  const char* state = std::getenv("XDG_STATE_HOME");  // NOLINT(concurrency-mt-unsafe)
  if (state != nullptr && *state == '/') {            // the specification wants absolute paths
    return std::string(state) + "/mtqp/sent.ndjson";
  }
  const char* home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe)
  if (home == nullptr || *home == '\0') {
    return "";
  }
  return std::string(home) + "/.local/state/mtqp/sent.ndjson";
}

void append_sent_record(const std::string& path, const SentRecord& record) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  make_folder(folder);
  const UniqueFd fd = open_private(path);
  if (::flock(fd.get(), LOCK_EX) != 0) {
    throw_errno(errno, path);
  }
  std::string line = to_line(record);
  try {
    write_line(fd.get(), line, path);
  } catch (...) {
    wipe(line);
    throw;
  }
  wipe(line);
  // A new file is only there after a crash if its folder says so.
  const UniqueFd folder_fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder_fd) {
    static_cast<void>(::fsync(folder_fd.get()));
  }
}

}  // namespace mtrk::cli

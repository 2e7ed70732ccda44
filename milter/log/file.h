#pragma once

#include "common/base/time.h"
#include "common/base/unique_fd.h"
#include "common/store/tracking_writer.h"
#include "milter/log/siblings.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mtrk {

// A LogFile is one open log file, which is read line by line from a position. The position is an
// offset and the identity of the file: device, inode, and the checksum of its first octets (THR-B3
// to THR-B5). Not thread-safe. Throws std::system_error for I/O errors.
class LogFile {
 public:
  // Opens the file at its start. Returns nothing if it cannot be opened; then errno says why.
  [[nodiscard]] static std::optional<LogFile> open(const std::string& path);

  // Continues at the position. Returns false if the content shows that this is not the file in
  // which the position was taken.
  [[nodiscard]] bool resume(const store::LogCursor& cursor);
  // Continues after the last line that is complete now.
  void skip_to_end();
  // Starts over, because what the file holds now is not what it held.
  void rewind();
  // Remembers how the file begins, as far as it is written yet, to recognise it by.
  void learn_head();

  // Returns the complete lines from the position on, each with its line feed, about
  // LogSource::kChunk octets at most. Returns nothing if there are none at the moment or the file
  // was overwritten. Half a line waits for its line feed; if it becomes longer than
  // LogSource::kMaxLine, it is skipped and counted in `too_long`.
  [[nodiscard]] std::optional<std::string> take_lines(std::uint64_t& too_long);
  // Returns at most `limit` octets before the position, from the start of a line.
  [[nodiscard]] std::string before_position(std::size_t limit) const;

  // Returns true if what stood before the position is gone: the file was truncated, and perhaps
  // filled again.
  [[nodiscard]] bool overwritten() const;
  [[nodiscard]] bool has_more() const { return size() > offset_; }  // it may be half a line
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] TimePoint modified() const;
  [[nodiscard]] store::LogCursor cursor() const;
  [[nodiscard]] const FileId& id() const { return id_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  LogFile(UniqueFd fd, FileId id) : fd_(std::move(fd)), id_(id) {}
  [[nodiscard]] bool begins_as_before() const;
  void advance(std::string_view octets);

  UniqueFd fd_;
  FileId id_;
  std::uint64_t offset_ = 0;  // after the last line that was handed out or skipped
  std::string head_;          // the first octets of the file, to recognise it by
  bool skipping_ = false;     // inside a line that is too long
};

}  // namespace mtrk

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

// One open log file, read line by line from a position: its identity (device, inode, checksum of
// its first octets) and an offset (THR-B3 to THR-B5). Not thread-safe. I/O errors throw
// std::system_error.
class LogFile {
 public:
  // At its start. Nothing if it cannot be opened; errno says why.
  [[nodiscard]] static std::optional<LogFile> open(const std::string& path);

  // Continues at the position, if by its content this is the file it was taken in.
  [[nodiscard]] bool resume(const store::LogCursor& cursor);
  // Continues after the last complete line there is now.
  void skip_to_end();
  // Starts over: what the file holds now is not what it held.
  void rewind();
  // Remembers how the file begins, so far as it is there: what it will be recognised by.
  void learn_head();

  // The complete lines from the position on, each with its line feed, about LogSource::kChunk
  // octets at most; nothing if there are none at the moment, or the file was overwritten. Half a
  // line waits for its line feed; once it is longer than LogSource::kMaxLine it is skipped, and
  // counted in `too_long`.
  [[nodiscard]] std::optional<std::string> take_lines(std::uint64_t& too_long);
  // What stands before the position, from the start of a line on, at most `limit` octets.
  [[nodiscard]] std::string before_position(std::size_t limit) const;

  // What stood before the position does not any more: truncated, perhaps filled again.
  [[nodiscard]] bool overwritten() const;
  [[nodiscard]] bool has_more() const { return size() > offset_; }  // be it half a line
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
  std::uint64_t offset_ = 0;  // after the last line handed out, or skipped to
  std::string head_;          // the first octets of the file: what it is recognised by
  bool skipping_ = false;     // inside a line that is too long
};

}  // namespace mtrk

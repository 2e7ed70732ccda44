#pragma once

#include "common/base/unique_fd.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// The octets of a log as they were before somebody compressed it: what `explain`, `events`,
// `ingest` and `find` read logs through. A compressed file is known by its first octets and not by
// its name: gzip (RFC 1952), xz, zstd (RFC 8878) and bzip2, several members or frames one behind
// the other included. Everything else is handed out as it is.
namespace mtrk {

enum class Compression { none, gzip, xz, zstd, bzip2 };

// What a file that begins so is compressed with. 6 octets are enough.
[[nodiscard]] Compression compression_by_content(std::string_view first_octets);
[[nodiscard]] std::string_view name_of(Compression compression);

// Not thread-safe. The descriptor stays the caller's, and is read from where it stands.
class OctetSource {
 public:
  OctetSource() = default;
  virtual ~OctetSource() = default;
  OctetSource(const OctetSource&) = delete;
  OctetSource& operator=(const OctetSource&) = delete;

  // Up to `room` octets, at least one unless the end is reached (0). Data that are damaged or cut
  // off are an end, too: complaint() says so then. Fails: std::system_error when reading does.
  [[nodiscard]] virtual std::size_t read(char* to, std::size_t room) = 0;
  // What is wrong with the data, as a sentence without its subject ("the gzip data are damaged
  // after 4096 octets"); empty if nothing is.
  [[nodiscard]] virtual std::string complaint() const { return {}; }
  [[nodiscard]] virtual Compression compression() const { return Compression::none; }
  // Octets that were taken from the descriptor so far.
  [[nodiscard]] virtual std::uint64_t taken() const = 0;
};

// Looks at the first octets of what `fd` stands before, which may be a pipe. `path` is for error
// texts. Fails: std::system_error.
[[nodiscard]] std::unique_ptr<OctetSource> open_octets(int fd, const std::string& path);

// The same, with decompression in a thread of its own, which is a few blocks ahead of the reader.
// A source that is not compressed has no such thread.
[[nodiscard]] std::unique_ptr<OctetSource> open_octets_ahead(int fd, const std::string& path);

// All of it in a file without a name, in $TMPDIR or /var/tmp, for who has to go back in it. What
// was wrong with the data is put into `complaint`. Fails: std::system_error.
[[nodiscard]] UniqueFd spool(OctetSource& source, std::string& complaint);

}  // namespace mtrk

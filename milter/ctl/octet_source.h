#pragma once

#include "common/base/unique_fd.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// An OctetSource gives the octets of a log as they were before compression. `explain`, `events`,
// `ingest` and `find` read logs through it. It recognizes a compressed file by its first octets and
// not by its name: gzip (RFC 1952), xz, zstd (RFC 8878) and bzip2, also with several members or
// frames in a row. Everything else is returned as it is.
namespace mtrk {

enum class Compression { none, gzip, xz, zstd, bzip2 };

// Returns the compression of a file that begins with these octets. 6 octets are enough.
[[nodiscard]] Compression compression_by_content(std::string_view first_octets);
[[nodiscard]] std::string_view name_of(Compression compression);

// Not thread-safe. The caller keeps the descriptor, which is read from its current position.
class OctetSource {
 public:
  OctetSource() = default;
  virtual ~OctetSource() = default;
  OctetSource(const OctetSource&) = delete;
  OctetSource& operator=(const OctetSource&) = delete;

  // Reads up to `room` octets. Returns at least 1, or 0 at the end. Damaged or truncated data end
  // there too, and complaint() then says so. Throws std::system_error if reading fails.
  [[nodiscard]] virtual std::size_t read(char* to, std::size_t room) = 0;
  // Returns what is wrong with the data, in the words of "the gzip data are damaged after 4096
  // octets", or an empty text if nothing is.
  [[nodiscard]] virtual std::string complaint() const { return {}; }
  [[nodiscard]] virtual Compression compression() const { return Compression::none; }
  // Returns how many octets were read from the descriptor so far.
  [[nodiscard]] virtual std::uint64_t taken() const = 0;
};

// Looks at the first octets at the current position of `fd`, which may be a pipe. `path` is for
// error texts. Throws std::system_error.
[[nodiscard]] std::unique_ptr<OctetSource> open_octets(int fd, const std::string& path);

// Does the same, but decompresses in a thread of its own, which stays a few blocks ahead of the
// reader. A source that is not compressed has no such thread.
[[nodiscard]] std::unique_ptr<OctetSource> open_octets_ahead(int fd, const std::string& path);

// Copies all octets into a file without a name in $TMPDIR or /var/tmp, for a caller that has to go
// back in them. Puts what was wrong with the data into `complaint`. Throws std::system_error.
[[nodiscard]] UniqueFd spool(OctetSource& source, std::string& complaint);

}  // namespace mtrk

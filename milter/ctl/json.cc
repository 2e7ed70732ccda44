#include "milter/ctl/json.h"

#include "common/base/utf8.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <system_error>

namespace mtrk {
namespace {

constexpr std::size_t kFirst = std::size_t{64} << 10;

// Marks the octets that stand unescaped in a JSON string.
constexpr std::array<bool, 256> make_copied() {
  std::array<bool, 256> copied{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) {
    copied[c] = c != '"' && c != '\\';
  }
  return copied;
}
constexpr std::array<bool, 256> kCopied = make_copied();

char* put_escaped(std::string_view value, char* out) {
  while (!value.empty()) {
    const unsigned char c = static_cast<unsigned char>(value[0]);
    std::size_t taken = 1;
    if (kCopied[c]) {
      *out++ = value[0];
    } else if (c == '"' || c == '\\') {
      *out++ = '\\';
      *out++ = value[0];
    } else {
      const Utf8Character next = decode_utf8(value);
      taken = std::max<std::size_t>(next.octets, 1);
      if (next.octets != 0 && is_harmless(next.code)) {
        out += value.copy(out, taken);
      } else {
        out = put_json_escape(next.octets == 0 ? 0xfffd : next.code, out);
      }
    }
    value.remove_prefix(taken);
  }
  return out;
}

// Holds sixteen octets in one register, if the machine has such registers.
using Octets [[gnu::vector_size(16)]] = signed char;

Octets load(const char* p) {
  Octets octets;
  std::memcpy(&octets, p, sizeof octets);
  return octets;
}

// Returns nonzero octets for control characters, '"', '\\' and non-ASCII octets (negative).
Octets oddities(Octets octets) {
  return (octets < 0x20) | (octets == 0x7f) | (octets == '"') | (octets == '\\');
}

bool has_any(Octets octets) {
  std::uint64_t halves[2];
  std::memcpy(halves, &octets, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

}  // namespace

// The last two registers overlap, so that no octet of a long text is checked alone.
bool is_plain(std::string_view text) {
  constexpr std::size_t kStep = sizeof(Octets);
  const char* const p = text.data();
  if (text.size() < kStep) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return kCopied[static_cast<unsigned char>(c)]; });
  }
  Octets odd = oddities(load(p + text.size() - kStep));
  std::size_t i = 0;
  for (; i + 2 * kStep <= text.size(); i += 2 * kStep) {
    odd |= oddities(load(p + i)) | oddities(load(p + i + kStep));
  }
  if (i + kStep <= text.size()) {
    odd |= oddities(load(p + i));
  }
  return !has_any(odd);
}

JsonOutput::JsonOutput() : capacity_(kFirst), buffer_(new char[kFirst]), second_text_{} {}

void JsonOutput::write_to(int fd) {
  const char* from = buffer_.get();
  while (size_ > 0) {
    const ssize_t n = ::write(fd, from, size_);
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      size_ = 0;
      throw std::system_error(errno, std::generic_category(), "standard output");
    }
    from += n;
    size_ -= static_cast<std::size_t>(n);
  }
}

void JsonOutput::grow(std::size_t octets) {
  const std::size_t capacity = std::max(2 * capacity_, size_ + octets);
  std::unique_ptr<char[]> larger(new char[capacity]);
  std::memcpy(larger.get(), buffer_.get(), size_);
  buffer_ = std::move(larger);
  capacity_ = capacity;
}

void JsonOutput::raw(std::string_view bytes) {
  reserve(bytes.size());
  std::memcpy(buffer_.get() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

// The caller has reserved six octets per octet and ten more.
void JsonOutput::escape(std::string_view value) {
  if (is_plain(value)) {
    copy(value);
    return;
  }
  char* out = buffer_.get() + size_;
  *out++ = '"';
  out = put_escaped(value, out);
  *out++ = '"';
  *out++ = ',';
  size_ = static_cast<std::size_t>(out - buffer_.get());
}

void JsonOutput::put_number(std::uint64_t value) {
  char* const out = buffer_.get() + size_;
  char* const end = std::to_chars(out, out + 20, value).ptr;
  *end = ',';
  size_ = static_cast<std::size_t>(end + 1 - buffer_.get());
}

void JsonOutput::put_time(LogTime at) {
  const TimePoint second = std::chrono::floor<Seconds>(at);
  if (second != second_) {  // log lines of the same second often follow each other
    second_ = second;
    format_rfc3339(second).copy(second_text_, sizeof second_text_ - 1);
  }
  char* out = buffer_.get() + size_;
  *out++ = '"';
  std::memcpy(out, second_text_, sizeof second_text_ - 1);
  out += sizeof second_text_ - 1;
  int micros = static_cast<int>((at - second).count());
  if (micros != 0) {
    *out = '.';
    for (int i = 6; i > 0; --i) {
      out[i] = static_cast<char>('0' + micros % 10);
      micros /= 10;
    }
    out += 7;
  }
  std::memcpy(out, "Z\",", 3);
  out += 3;
  size_ = static_cast<std::size_t>(out - buffer_.get());
}

void JsonOutput::put_status(EnhancedStatus status) {
  char* out = buffer_.get() + size_;
  char* const end = out + 30;
  *out++ = '"';
  *out++ = static_cast<char>('0' + status.status_class);
  for (const unsigned part : {status.subject, status.detail}) {
    *out++ = '.';
    out = part < 10 ? (*out = static_cast<char>('0' + part), out + 1)
                    : std::to_chars(out, end, part).ptr;
  }
  *out++ = '"';
  *out++ = ',';
  size_ = static_cast<std::size_t>(out - buffer_.get());
}

void JsonOutput::item(std::string_view value) {
  reserve(6 * value.size() + 11);
  escape(value);
}

void JsonOutput::end_list() {
  close(']');
  reserve(1);
  buffer_[size_++] = ',';
}

}  // namespace mtrk

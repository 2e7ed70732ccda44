#include "milter/ctl_json.h"

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

// Octets that stand in a JSON string as they are.
constexpr std::array<bool, 256> make_copied() {
  std::array<bool, 256> copied{};
  for (std::size_t c = 0x20; c < 0x80; ++c) {
    copied[c] = c != '"' && c != '\\';
  }
  return copied;
}
constexpr std::array<bool, 256> kCopied = make_copied();

// Octets of the UTF-8 sequence at the front, 0 if there is none (RFC 3629: no overlong forms, no
// surrogates, nothing over U+10FFFF).
std::size_t utf8_length(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = octet(0);
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    low = first == 0xE0 ? 0xA0 : low;
    high = first == 0xED ? 0x9F : high;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    low = first == 0xF0 ? 0x90 : low;
    high = first == 0xF4 ? 0x8F : high;
  }
  if (length == 0 || length > text.size() || octet(1) < low || octet(1) > high) {
    return 0;
  }
  for (std::size_t i = 2; i < length; ++i) {
    if (octet(i) < 0x80 || octet(i) > 0xBF) {
      return 0;
    }
  }
  return length;
}

char* put_escaped(std::string_view value, char* out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  while (!value.empty()) {
    const unsigned char c = static_cast<unsigned char>(value[0]);
    std::size_t taken = 1;
    if (kCopied[c]) {
      *out++ = value[0];
    } else if (c >= 0x80 && utf8_length(value) != 0) {
      taken = utf8_length(value);
      out += value.copy(out, taken);
    } else if (c >= 0x80) {
      std::memcpy(out, "\\ufffd", 6);
      out += 6;
    } else if (c < 0x20) {
      std::memcpy(out, "\\u00", 4);
      out[4] = kHex[c >> 4];
      out[5] = kHex[c & 15];
      out += 6;
    } else {
      *out++ = '\\';
      *out++ = value[0];
    }
    value.remove_prefix(taken);
  }
  return out;
}

// Sixteen octets in one register, where the machine has such.
using Octets [[gnu::vector_size(16)]] = signed char;

Octets load(const char* p) {
  Octets octets;
  std::memcpy(&octets, p, sizeof octets);
  return octets;
}

// Not zero for control characters, '"', '\\' and what is not ASCII (negative).
Octets oddities(Octets octets) {
  return (octets < 0x20) | (octets == '"') | (octets == '\\');
}

bool has_any(Octets octets) {
  std::uint64_t halves[2];
  std::memcpy(halves, &octets, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

}  // namespace

// Registers overlap at the end, so that no octet of a long text is looked at alone.
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

// There is room for six octets per octet and ten more.
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
  if (second != second_) {  // log lines of one second come together
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

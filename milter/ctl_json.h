#pragma once

#include "common/base/time.h"
#include "common/track/enhanced_status.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

// JSON objects, one a line (NDJSON), into one large buffer. Log text is hostile: control characters
// are escaped, octets that are not UTF-8 become \ufffd, so that every line is valid JSON whatever a
// log holds. Names of members are literals and written as they are.
namespace mtrk {

// Whether nothing in `text` needs escaping.
[[nodiscard]] bool is_plain(std::string_view text);

class JsonOutput {
 public:
  JsonOutput();

  void begin() {
    reserve(1);
    buffer_[size_++] = '{';
    first_ = true;
  }
  void end() {
    reserve(2);
    std::memcpy(buffer_.get() + size_, "}\n", 2);
    size_ += 2;
  }
  template <std::size_t N>
  void text(const char (&name)[N], std::string_view value) {
    if (plain_) {
      key(name, value.size() + 2);
      copy(value);
    } else {
      key(name, 6 * value.size() + 10);
      escape(value);
    }
  }
  template <std::size_t N>
  void text_if(const char (&name)[N], std::string_view value) {
    if (!value.empty()) {
      text(name, value);
    }
  }
  template <std::size_t N>
  void number(const char (&name)[N], std::uint64_t value) {
    key(name, 20);
    put_number(value);
  }
  template <std::size_t N>
  void null(const char (&name)[N]) {
    key(name, 4);
    std::memcpy(buffer_.get() + size_, "null", 4);
    size_ += 4;
  }
  template <std::size_t N>
  void time(const char (&name)[N], LogTime at) {  // RFC 3339, fraction if there is one
    key(name, 40);
    put_time(at);
  }
  template <std::size_t N>
  void status(const char (&name)[N], EnhancedStatus status) {  // "2.1.9"
    key(name, 32);
    put_status(status);
  }
  template <std::size_t N>
  void begin_list(const char (&name)[N]) {
    key(name, 1);
    buffer_[size_++] = '[';
    first_item_ = true;
  }
  void item(std::string_view value);
  void end_list();

  void raw(std::string_view bytes);  // not JSON: for commands that print text the same way

  // Whether all texts that follow are plain (is_plain()): they are parts of one that was looked at
  // as a whole. Not so at first.
  void texts_are_plain(bool plain) { plain_ = plain; }

  [[nodiscard]] std::size_t size() const { return size_; }
  // Writes what there is, and empties the buffer. Fails: std::system_error.
  void write_to(int fd);

 private:
  // ,"name": with room for `more` octets behind it.
  template <std::size_t N>
  void key(const char (&name)[N], std::size_t more) {
    reserve(N + 3 + more);
    char* out = buffer_.get() + size_;
    *out = ',';
    out += first_ ? 0 : 1;
    first_ = false;
    *out++ = '"';
    std::memcpy(out, name, N - 1);
    std::memcpy(out + N - 1, "\":", 2);
    size_ = static_cast<std::size_t>(out - buffer_.get()) + N + 1;
  }
  void reserve(std::size_t octets) {
    if (size_ + octets > capacity_) {
      grow(octets);
    }
  }
  void grow(std::size_t octets);
  void copy(std::string_view value) {
    char* const out = buffer_.get() + size_;
    *out = '"';
    std::memcpy(out + 1, value.data(), value.size());
    out[value.size() + 1] = '"';
    size_ += value.size() + 2;
  }
  void escape(std::string_view value);
  void put_number(std::uint64_t value);
  void put_time(LogTime at);
  void put_status(EnhancedStatus status);

  std::size_t capacity_;
  std::unique_ptr<char[]> buffer_;
  std::size_t size_ = 0;
  bool first_ = true;
  bool first_item_ = true;
  bool plain_ = false;
  char second_text_[20];  // the last second written, "2026-11-21T16:54:11"
  TimePoint second_ = TimePoint::min();
};

}  // namespace mtrk

#pragma once

#include "common/base/time.h"
#include "common/track/enhanced_status.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

// A JsonOutput writes JSON objects, one per line (NDJSON), into one large buffer. Log text is
// hostile: whatever could harm a terminal (utf8.h) is escaped, and octets that are not UTF-8 become
// \ufffd. So every line is valid JSON whatever a log contains. Member names are literals and are
// written as they are.
namespace mtrk {

// Returns whether nothing in `text` needs escaping.
[[nodiscard]] bool is_plain(std::string_view text);

class JsonOutput {
 public:
  JsonOutput();

  void begin() {
    reserve(1);
    buffer_[size_++] = '{';
  }
  void end() {
    close('}');
    reserve(1);
    buffer_[size_++] = '\n';
  }
  template <std::size_t N>
  [[gnu::always_inline]] void text(const char (&name)[N], std::string_view value) {
    if (plain_) {
      key(name, value.size() + 3);
      copy(value);
    } else {
      key(name, 6 * value.size() + 10);
      escape(value);
    }
  }
  template <std::size_t N>
  [[gnu::always_inline]] void text_if(const char (&name)[N], std::string_view value) {
    if (!value.empty()) {
      text(name, value);
    }
  }
  template <std::size_t N>
  void number(const char (&name)[N], std::uint64_t value) {
    key(name, 21);
    put_number(value);
  }
  template <std::size_t N>
  void null(const char (&name)[N]) {
    key(name, 5);
    std::memcpy(buffer_.get() + size_, "null,", 5);
    size_ += 5;
  }
  template <std::size_t N>
  void time(const char (&name)[N], LogTime at) {  // RFC 3339, with a fraction if there is one
    key(name, 40);
    put_time(at);
  }
  template <std::size_t N>
  void status(const char (&name)[N], EnhancedStatus status) {  // as in "2.1.9"
    key(name, 32);
    put_status(status);
  }
  template <std::size_t N>
  void begin_list(const char (&name)[N]) {
    key(name, 2);
    buffer_[size_++] = '[';
  }
  void item(std::string_view value);
  void end_item() {  // ends an object of a list that begin() began
    close('}');
    reserve(1);
    buffer_[size_++] = ',';
  }
  void end_list();

  void raw(std::string_view bytes);  // plain text, for commands that use the same buffer

  // Says whether all texts that follow are plain (is_plain()), because they are parts of a text
  // that was checked as a whole. The initial value is false.
  void texts_are_plain(bool plain) { plain_ = plain; }

  [[nodiscard]] std::size_t size() const { return size_; }
  // view() returns the contents of the buffer; the view is valid until the next call. clear()
  // empties the buffer.
  [[nodiscard]] std::string_view view() const { return {buffer_.get(), size_}; }
  void clear() { size_ = 0; }
  // Writes the contents of the buffer and empties it. Throws std::system_error.
  void write_to(int fd);

 private:
  // Every member and item is written with a comma after it, which the end of the object or list
  // replaces.

  // Writes `"name":` and leaves room for `more` octets after it.
  template <std::size_t N>
  [[gnu::always_inline]] void key(const char (&name)[N], std::size_t more) {
    reserve(N + 2 + more);
    char* const out = buffer_.get() + size_;
    *out = '"';
    std::memcpy(out + 1, name, N - 1);
    std::memcpy(out + N, "\":", 2);
    size_ += N + 2;
  }
  void close(char with) {
    reserve(1);
    size_ -= buffer_[size_ - 1] == ',' ? 1U : 0U;
    buffer_[size_++] = with;
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
    std::memcpy(out + 1 + value.size(), "\",", 2);
    size_ += value.size() + 3;
  }
  void escape(std::string_view value);
  void put_number(std::uint64_t value);
  void put_time(LogTime at);
  void put_status(EnhancedStatus status);

  std::size_t capacity_;
  std::unique_ptr<char[]> buffer_;
  std::size_t size_ = 0;
  bool plain_ = false;
  char second_text_[20];  // the last second that was written, "2026-11-21T16:54:11"
  TimePoint second_ = TimePoint::min();
};

}  // namespace mtrk

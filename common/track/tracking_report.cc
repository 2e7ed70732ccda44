#include "common/track/tracking_report.h"

#include <openssl/rand.h>

#include <string.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <tuple>

namespace mtrk {
namespace {

constexpr std::size_t kMaxBoundary = 70;  // RFC 2046 §5.1.1

using Messages = std::vector<const MessageView*>;

auto part_key(const MessageView& message) {
  return std::tie(message.arrival, message.reporting_mta.type, message.reporting_mta.value);
}

// Sorts the messages by arrival, so that those that share a part are adjacent. Omits
// transactions without recipients, which must not be reported (MTSN-3.1-04).
Messages in_part_order(std::span<const MessageView> messages) {
  Messages ordered;
  ordered.reserve(messages.size());
  for (const MessageView& message : messages) {
    if (!message.recipients.empty()) {
      ordered.push_back(&message);
    }
  }
  std::sort(ordered.begin(), ordered.end(), [](const MessageView* a, const MessageView* b) {
    return part_key(*a) != part_key(*b) ? part_key(*a) < part_key(*b) : a < b;
  });
  return ordered;
}

// Returns the number of delimiter lines written.
std::size_t append_entity(std::string& out,
                          std::string_view envelope_id,
                          const Messages& messages,
                          std::string_view boundary) {
  std::size_t delimiters = 1;
  out.append("Content-Type: multipart/related; boundary=\"").append(boundary);
  out.append("\"; type=\"message/tracking-status\"\r\n");
  const MessageView* previous = nullptr;
  for (const MessageView* message : messages) {
    if (previous == nullptr || part_key(*previous) != part_key(*message)) {
      out.append("\r\n--").append(boundary);
      out.append("\r\nContent-Type: message/tracking-status\r\n\r\n");
      append_message_fields(out, envelope_id, *message);
      ++delimiters;
    }
    append_recipient_groups(out, *message);
    previous = message;
  }
  out.append("\r\n--").append(boundary).append("--\r\n");
  return delimiters;
}

// memmem() is quick here: `wanted` is long and random, so it examines few octets of the text.
std::size_t count(std::string_view text, std::string_view wanted) {
  std::size_t times = 0;
  while (const void* found = ::memmem(text.data(), text.size(), wanted.data(), wanted.size())) {
    ++times;
    const std::ptrdiff_t at = static_cast<const char*>(found) - text.data();
    text.remove_prefix(static_cast<std::size_t>(at) + wanted.size());
  }
  return times;
}

// A call of RAND_bytes() takes about as long as writing a whole report, whether it is for 16 octets
// or for more. The pool therefore draws many at once.
class RandomPool {
 public:
  std::span<const unsigned char, 16> take() {
    if (next_ == octets_.size()) {
      if (RAND_bytes(octets_.data(), static_cast<int>(octets_.size())) != 1) {
        throw std::runtime_error("OpenSSL has no random octets");
      }
      next_ = 0;
    }
    next_ += 16;
    return std::span<const unsigned char, 16>(octets_.data() + next_ - 16, 16);
  }

 private:
  std::array<unsigned char, 1024> octets_{};
  std::size_t next_ = octets_.size();
};

}  // namespace

void append_report(std::string& out,
                   std::string_view envelope_id,
                   std::span<const MessageView> messages,
                   std::string_view boundary) {
  const Messages ordered = in_part_order(messages);
  const std::size_t start = out.size();
  std::string longer;
  for (;;) {
    const std::size_t delimiters = append_entity(out, envelope_id, ordered, boundary);
    const std::string delimiter = std::string("--").append(boundary);
    if (count(std::string_view(out).substr(start), delimiter) == delimiters) {
      return;
    }
    // An address or a name contains the boundary. The next boundary cannot be predicted, because it
    // is not drawn yet.
    out.resize(start);
    longer = std::string(boundary.substr(0, kMaxBoundary / 2 - 3)).append("-") + make_boundary();
    boundary = longer;
  }
}

std::string make_boundary() {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  thread_local RandomPool pool;
  std::string boundary("mtrk-");
  for (const unsigned char octet : pool.take()) {
    boundary += kHexDigits[octet >> 4U];
    boundary += kHexDigits[octet & 15U];
  }
  return boundary;
}

}  // namespace mtrk

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mtrk {

// A QueueId is the name that an MTA gives to one queue file: 6 to 32 letters and digits. Postfix
// has short ids (hexadecimal digits) and long ids (base 52 without vowels, 'z', inode); Sendmail's
// have 14 characters. MTAs may reuse an id, so the store adds an incarnation.
class QueueId {
 public:
  [[nodiscard]] static std::optional<QueueId> parse(std::string_view text);
  [[nodiscard]] static bool is_queue_id(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  bool operator==(const QueueId&) const = default;

 private:
  explicit QueueId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace mtrk

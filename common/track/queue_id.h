#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mtrk {

// An MTA's name for one queue file: Postfix short (hex digits) and long (base 52 without vowels,
// 'z', inode), Sendmail (14 characters). 6 to 32 letters and digits. Not unique over time where
// ids are reused; the store adds an incarnation.
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

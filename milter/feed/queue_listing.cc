#include "milter/feed/queue_listing.h"

#include "common/base/ascii.h"
#include "common/maillog/sendmail_log.h"
#include "common/track/queue_id.h"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace mtrk {
namespace {

namespace json = boost::json;

// Takes "queue_id" and "arrival_time" of the outermost object, and ignores the rest.
class MessageHandler {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  using Code = json::error_code;

  // Returns what was read of the message that has ended, and gets ready for the next one.
  [[nodiscard]] std::optional<store::QueueReport::Message> take() {
    std::optional<store::QueueReport::Message> message;
    if (QueueId::is_queue_id(queue_id_)) {
      message = {queue_id_, arrival_};
    }
    *this = MessageHandler();
    return message;
  }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return descend(); }
  bool on_object_end(std::size_t, Code&) { return ascend(); }
  bool on_array_begin(Code&) { return descend(); }
  bool on_array_end(std::size_t, Code&) { return ascend(); }
  bool on_key_part(json::string_view part, std::size_t, Code&) { return add(key_, part); }
  bool on_key(json::string_view part, std::size_t, Code&) {
    if (depth_ == 1) {
      add(key_, part);
      field_ = key_ == "queue_id"       ? Field::queue_id
               : key_ == "arrival_time" ? Field::arrival
                                        : Field::other;
      key_.clear();
    }
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, Code&) { return on_text(part); }
  bool on_string(json::string_view part, std::size_t, Code&) { return on_text(part); }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, Code&) {
    if (depth_ == 1 && field_ == Field::arrival && value >= 0) {
      arrival_ = TimePoint(Seconds(value));
    }
    return true;
  }
  bool on_uint64(std::uint64_t, json::string_view, Code&) { return true; }
  bool on_double(double, json::string_view, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }

 private:
  enum class Field { other, queue_id, arrival };

  // Keeps one octet more than a valid text has, which is enough to see that a longer one is not
  // valid.
  bool add(std::string& text, json::string_view part) const {
    constexpr std::size_t kLongest = 33;
    if (depth_ == 1) {
      text.append(part.data(), std::min(part.size(), kLongest - std::min(kLongest, text.size())));
    }
    return true;
  }
  bool on_text(json::string_view part) { return field_ != Field::queue_id || add(queue_id_, part); }
  bool descend() {
    ++depth_;
    return true;
  }
  bool ascend() {
    --depth_;
    return true;
  }

  unsigned depth_ = 0;
  Field field_ = Field::other;
  std::string key_;
  std::string queue_id_;
  std::optional<TimePoint> arrival_;
};

json::parse_options lenient() {
  json::parse_options options;
  options.max_depth = 8;
  options.allow_invalid_utf8 = true;  // addresses are as the client sent them
  return options;
}

class PostqueueListing : public QueueListing {
 public:
  void feed(std::string_view octets) override {
    while (!octets.empty()) {
      if (broken_line_) {
        const std::size_t feed = std::min(octets.find('\n'), octets.size());
        broken_line_ = feed == octets.size();
        octets.remove_prefix(std::min(feed + 1, octets.size()));
      } else if (!within_ && (octets[0] == '\n' || octets[0] == '\r')) {
        octets.remove_prefix(1);
      } else {
        octets.remove_prefix(parse(octets));
      }
    }
  }
  bool finish() override { return whole_ && !within_; }

 private:
  std::size_t parse(std::string_view octets) {
    json::error_code error;
    const std::size_t taken = parser_.write_some(true, octets.data(), octets.size(), error);
    within_ = true;
    if (!error && !parser_.done()) {
      return octets.size();
    }
    std::optional<store::QueueReport::Message> message = parser_.handler().take();
    whole_ = whole_ && !error && message;
    if (!error && message) {
      messages_.push_back(*std::move(message));
    }
    broken_line_ = bool(error);
    within_ = false;
    parser_.reset();
    return taken;
  }

  json::basic_parser<MessageHandler> parser_{lenient()};
  bool within_ = false;       // in a message
  bool broken_line_ = false;  // the rest of the line is skipped
  bool whole_ = true;
};

// Takes the queue id at the very beginning of a line, as in "4ALHZ...012345*  300 Sat Nov 21 …".
// All texts that strangers wrote are further right. The list ends with "\t\tTotal requests: 12".
class MailqListing : public QueueListing {
 public:
  void feed(std::string_view octets) override {
    while (!octets.empty()) {
      const std::size_t feed = std::min(octets.find('\n'), octets.size());
      if (line_.size() < kEnough) {
        line_.append(octets.substr(0, std::min(feed, kEnough - line_.size())));
      }
      if (feed < octets.size()) {
        read_line();
        line_.clear();
      }
      octets.remove_prefix(std::min(feed + 1, octets.size()));
    }
  }
  bool finish() override { return total_ == messages_.size(); }

 private:
  static constexpr std::size_t kEnough = 100;  // this many octets of a line are enough

  void read_line() {
    constexpr std::string_view kTotal = "\t\tTotal requests: ";  // recipients are further right
    const std::string_view line = line_;
    if (line.substr(0, kTotal.size()) == kTotal) {
      total_ = parse_number<std::uint64_t>(trim(line.substr(kTotal.size())));
      return;
    }
    const std::size_t length = static_cast<std::size_t>(
        std::find_if_not(line_.begin(), line_.end(), is_alnum) - line_.begin());
    std::string id = line_.substr(0, length);
    const std::string with_colon = id + ": ";
    std::string_view as_logged = with_colon;
    if (!maillog::take_sendmail_id(as_logged).empty()) {
      messages_.push_back({std::move(id), std::nullopt});
    }
  }

  std::string line_;  // the beginning of the line
  std::optional<std::uint64_t> total_;
};

}  // namespace

std::unique_ptr<QueueListing> make_queue_listing(Mta mta) {
  if (mta == Mta::sendmail) {
    return std::make_unique<MailqListing>();
  }
  return std::make_unique<PostqueueListing>();
}

}  // namespace mtrk

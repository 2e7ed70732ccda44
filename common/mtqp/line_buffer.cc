#include "common/mtqp/line_buffer.h"

namespace mtrk::mtqp {

void LineBuffer::feed(std::string_view bytes) {
  if (flooded_) {
    return;
  }
  if (begin_ != 0) {
    buffer_.erase(0, begin_);  // removes less than one line, or everything
    begin_ = 0;
  }
  buffer_.append(bytes);
}

std::optional<LineBuffer::Line> LineBuffer::next() {
  if (flooded_) {
    return std::nullopt;
  }
  if (discarded_ != 0) {
    return discard(begin_);
  }
  const std::size_t lf = buffer_.find('\n', begin_ + scanned_);
  if (lf != std::string::npos) {
    return finish_line(lf);
  }
  scanned_ = buffer_.size() - begin_;
  if (scanned_ > kMaxLine + 1) {  // even if the last octet is the CR of a CRLF
    return discard(begin_);
  }
  return std::nullopt;
}

std::optional<LineBuffer::Line> LineBuffer::finish_line(std::size_t lf) {
  const bool has_cr = lf > begin_ && buffer_[lf - 1] == '\r';
  const std::string_view text(buffer_.data() + begin_, lf - begin_ - (has_cr ? 1 : 0));
  if (text.size() > kMaxLine) {
    return discard(begin_);
  }
  begin_ = lf + 1;
  scanned_ = 0;
  const bool clean =
      text.find('\r') == std::string_view::npos && text.find('\0') == std::string_view::npos;
  return Line{has_cr && clean ? Kind::line : Kind::malformed, text};
}

// Skips from `from` to the next CRLF, whose CR may have been skipped before.
std::optional<LineBuffer::Line> LineBuffer::discard(std::size_t from) {
  bool ended = false;
  while (!ended) {
    const std::size_t lf = buffer_.find('\n', from);
    const std::size_t stop = lf == std::string::npos ? buffer_.size() : lf + 1;
    if (lf != std::string::npos) {
      ended = lf > begin_ ? buffer_[lf - 1] == '\r' : discarded_ends_cr_;
    }
    discarded_ += stop - from;
    if (discarded_ > kMaxWithoutLf) {
      flooded_ = true;
      buffer_ = std::string();
      begin_ = scanned_ = 0;
      return std::nullopt;
    }
    from = stop;
    if (lf == std::string::npos) {
      break;
    }
  }
  if (from > begin_) {
    discarded_ends_cr_ = buffer_[from - 1] == '\r';
  }
  begin_ = from;
  scanned_ = 0;
  if (!ended) {
    return std::nullopt;
  }
  discarded_ = 0;
  discarded_ends_cr_ = false;
  return Line{Kind::too_long, {}};
}

bool LineBuffer::line_started() const {
  return pending() != 0 || discarded_ != 0;
}

std::size_t LineBuffer::pending() const {
  return buffer_.size() - begin_;
}

void LineBuffer::release_if_empty() {
  if (pending() == 0 && buffer_.capacity() > 64) {
    buffer_ = std::string();
    begin_ = scanned_ = 0;
  }
}

}  // namespace mtrk::mtqp

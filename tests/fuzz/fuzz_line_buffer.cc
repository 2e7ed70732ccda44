// Any octets as lines: the result does not depend on how they were cut, and what is called a line
// is one. The first two octets say where to cut.
#include "common/mtqp/line_buffer.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using mtrk::mtqp::LineBuffer;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void take_all(LineBuffer& lines, std::string& out) {
  while (const auto line = lines.next()) {
    if (line->kind == LineBuffer::Kind::line) {
      require(line->text.size() <= mtrk::mtqp::kMaxLine);
      require(line->text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    }
    out += std::to_string(static_cast<int>(line->kind));
    out.append(line->text).push_back('\n');
  }
  out += lines.flooded() ? "flooded" : "";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::string text(data + 2, data + size);
  const std::size_t cut = text.empty() ? 0 : (data[0] * 256U + data[1]) % text.size();
  std::string whole;
  std::string parts;
  LineBuffer one;
  one.feed(text);
  take_all(one, whole);
  LineBuffer two;
  two.feed(std::string_view(text).substr(0, cut));
  take_all(two, parts);
  if (!two.flooded()) {
    two.feed(std::string_view(text).substr(cut));
    take_all(two, parts);
  }
  require(whole == parts);
  require(one.line_started() == two.line_started());
  return 0;
}

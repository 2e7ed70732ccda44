// Any octets as replies of a server: the result does not depend on how they were cut, and every
// body that is accepted can be sent again and means the same. The first octet says where to cut.
#include "common/mtqp/reply.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using mtrk::mtqp::Reply;
using mtrk::mtqp::ReplyParser;

constexpr std::size_t kMaxBody = 8192;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void require_round_trip(const std::string& body) {
  std::string wire = "+OK+\r\n";
  mtrk::mtqp::append_stuffed(wire, body);
  ReplyParser parser(kMaxBody);
  parser.feed(wire);
  const auto reply = parser.next();
  // Stuffing makes a line one octet longer, which may be one too many for the strict reader.
  require(!reply || (*reply && (*reply)->body == body && parser.pending() == 0));
}

// False: the parser has failed.
bool take_all(ReplyParser& parser, std::string& out) {
  for (;;) {
    const auto next = parser.next();
    if (!next) {
      out += "failed";
      return false;
    }
    if (!*next) {
      return true;
    }
    const Reply& reply = **next;
    out += std::to_string(static_cast<int>(reply.status));
    for (const std::string& item : reply.info) {
      out += '/' + item;
    }
    out += ' ' + reply.text + '\n';
    if (reply.body) {
      out += *reply.body + ".\n";
      require_round_trip(*reply.body);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::string text(data + 1, data + size);
  const std::size_t cut = data[0] * text.size() / 256;
  std::string whole;
  std::string parts;
  ReplyParser one(kMaxBody);
  one.feed(text);
  static_cast<void>(take_all(one, whole));
  ReplyParser two(kMaxBody);
  two.feed(std::string_view(text).substr(0, cut));
  if (take_all(two, parts)) {
    two.feed(std::string_view(text).substr(cut));
    static_cast<void>(take_all(two, parts));
  }
  require(whole == parts);
  return 0;
}

// SMTP replies: what is read does not depend on how the bytes were split.
#include "common/smtp/extensions.h"
#include "common/smtp/reply.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

std::string read_all(std::string_view bytes, std::size_t chunk) {
  mtrk::smtp::ReplyParser parser;
  std::string log;
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    parser.feed(bytes.substr(at, chunk));
    while (true) {
      const auto reply = parser.next();
      if (!reply) {
        return log + "failed";
      }
      if (!*reply) {
        break;
      }
      const mtrk::smtp::Extensions extensions = mtrk::smtp::parse_ehlo(**reply);
      log += (*reply)->text() + (extensions.mtrk ? " MTRK\n" : "\n");
      if ((*reply)->lines.empty() || (*reply)->code < 200 || (*reply)->code > 599) {
        std::abort();
      }
    }
  }
  return log;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = read_all(bytes, size + 1);
  if (read_all(bytes, 1) != whole || read_all(bytes, 7) != whole) {
    std::abort();
  }
  return 0;
}

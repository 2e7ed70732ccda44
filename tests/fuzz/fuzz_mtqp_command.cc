// Any octets as a command line: what is accepted agrees with its keyword, and a TRACK that is
// accepted can be sent again and means the same.
#include "common/mtqp/command.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace mtrk::mtqp;  // NOLINT(google-build-using-namespace)

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string line(data, data + size);
  const mtrk::mtqp::Keyword keyword = mtrk::mtqp::keyword_of(line);
  const auto command = mtrk::mtqp::parse_command(line);
  if (!command) {
    require(!command.error().detail.empty());
    return 0;
  }
  if (const auto* track = std::get_if<mtrk::mtqp::Track>(&*command)) {
    require(keyword == mtrk::mtqp::Keyword::track);
    const std::string again = mtrk::mtqp::format_track(track->envelope_id, track->secret);
    const auto parsed = mtrk::mtqp::parse_command(again);
    require(parsed.has_value());
    const auto& same = std::get<mtrk::mtqp::Track>(*parsed);
    require(same.envelope_id == track->envelope_id);
    require(same.secret.octets() == track->secret.octets());
  } else if (const auto* start_tls = std::get_if<mtrk::mtqp::StartTls>(&*command)) {
    require(keyword == mtrk::mtqp::Keyword::starttls);
    require(mtrk::mtqp::parse_domain(start_tls->domain) == start_tls->domain);
  } else {
    require(keyword == (std::holds_alternative<mtrk::mtqp::Quit>(*command)
                            ? mtrk::mtqp::Keyword::quit
                            : mtrk::mtqp::Keyword::comment));
  }
  return 0;
}

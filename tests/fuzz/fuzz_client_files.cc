// What mtqp reads from the user's files and from a mail server at the login: no text does harm, and
// what parses keeps its meaning.
#include "mtqpd/mtqp/ask/known_servers.h"
#include "mtqpd/mtqp/send/auth.h"
#include "mtqpd/mtqp/send/credentials.h"
#include "mtqpd/mtqp/send/sent_file.h"
#include "tests/fuzz/fuzz_input.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

namespace cli = mtrk::cli;

void read_netrc(std::string_view text) {
  const auto password = cli::find_in_netrc(text, "mx.test", "ann");
  if (password && password->size() > text.size()) {
    std::abort();
  }
}

void read_records(std::string_view text) {
  if (const auto server = cli::parse_known_server(text)) {
    const std::string line = cli::format_known_server(*server);
    const auto again = cli::parse_known_server(line);
    if (!again || cli::format_known_server(*again) != line) {
      std::abort();
    }
  }
  if (const auto record = cli::parse_sent_record(text)) {
    const std::vector<cli::SentRecord> records{*record};
    if (!cli::find_sent(records, cli::short_name(*record)) || !cli::find_sent(records, "last")) {
      std::abort();
    }
  }
}

void log_in(std::string_view challenge) {
  // Only as much hashing as a fuzzer has time for: no five digits in a row.
  int digits = 0;
  for (const char c : challenge) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > 4) {
      return;
    }
  }
  cli::ScramClient client("ann", "pencil", "rOprNGfwEbeRWgbNEkqO");
  if (const auto final = client.final(challenge)) {
    if (final->find(",p=") == std::string::npos) {
      std::abort();
    }
  }
  if (client.verify(challenge)) {  // a proof by chance would be news
    std::abort();
  }
  static_cast<void>(cli::auth_mechanisms({250, {"mx", std::string(challenge)}}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mtrk::FuzzInput input(data, size);
  switch (input.below(3)) {
    case 0:
      read_netrc(input.rest());
      break;
    case 1:
      read_records(input.rest());
      break;
    default:
      log_in(input.rest());
  }
  return 0;
}
